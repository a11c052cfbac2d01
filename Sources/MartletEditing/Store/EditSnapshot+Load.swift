import Foundation
import MartletTensor

extension EditSnapshot {
  /// Everything in a store, in memory. One pass over the file.
  /// - Throws: ``EditError`` naming the edit whose vectors do not fit.
  static func load(
    _ store: EditStore, site: EditSite, calibration: KeyCalibration, widths: (key: Int, value: Int)
  ) throws -> EditSnapshot {
    var snapshot = EditSnapshot(
      keyWidth: widths.key, valueWidth: widths.value, calibration: calibration,
      codebook: site.rules == .nearest ? nil : Codebook(rules: site.rules, initialRadius: calibration.radius))
    let keyBytes = snapshot.keys.rowByteCount, valueBytes = snapshot.values.rowByteCount
    var labels: [Int: [Int]] = [:]
    if snapshot.codebook != nil {
      for record in try store.records() { if let id = record.id { labels[id] = record.labelTokens } }
    }
    var pending: [LoadedEdit] = []
    try store.forEach { edit, status, answer, subject, keys, value in
      guard !keys.isEmpty, keys.allSatisfy({ $0.vector.count == keyBytes }), !value.isEmpty, value.count % valueBytes == 0
      else {
        throw EditError(
          "\(store.path): the vectors of edit \(edit) have the wrong size; it is damaged: restore a copy, or take it out with sqlite3 and DELETE FROM edit"
        )
      }
      pending.append(
        LoadedEdit(
          edit: edit,
          questions: keys.enumerated().map { place, key in
            (QuestionWords(key.prompt, subject: place == 0 ? subject : nil), [UInt8](key.vector))
          },
          value: stride(from: 0, to: value.count, by: valueBytes).map { [UInt8](value.dropFirst($0).prefix(valueBytes)) },
          answer: Editor.hash(answer), isLive: status == .live))
    }
    snapshot.fill(pending)
    for item in pending where item.isLive && snapshot.codebook != nil {
      guard let slot = snapshot.slotsOfEdit[item.edit]?.first else { continue }
      snapshot.codebook?.insert(snapshot.keys.vector(slot), label: labels[item.edit] ?? [], edit: item.edit)
    }
    return snapshot
  }
}

/// An edit on its way into a snapshot.
struct LoadedEdit {
  let edit: Int
  let questions: [(words: QuestionWords, key: [UInt8])]
  let value: [[UInt8]]
  let answer: UInt64
  let isLive: Bool
}
