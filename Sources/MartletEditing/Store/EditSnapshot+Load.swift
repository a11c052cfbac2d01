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
    guard calibration.mean.count == widths.key else {
      throw EditStore.damaged(
        store.path, "table binding, row calibration",
        "is of \(calibration.mean.count) numbers and the layer takes \(widths.key)")
    }
    var labels: [Int: [Int]] = [:]
    if snapshot.codebook != nil {
      for record in try store.records() { if let id = record.id { labels[id] = record.labelTokens } }
    }
    var words: [QuestionWords] = []
    var live: [Int] = []
    try store.forEach { edit, status, answer, keys, value in
      guard !keys.isEmpty, keys.allSatisfy({ $0.vector.count == keyBytes }), !value.isEmpty,
        value.count % valueBytes == 0
      else {
        throw EditStore.damaged(store.path, "edit \(edit)", "its vectors have the wrong size")
      }
      guard keys.allSatisfy({ snapshot.keys.isFinite([UInt8]($0.vector)) }), snapshot.values.isFinite([UInt8](value))
      else { throw EditStore.damaged(store.path, "edit \(edit)", "its vectors hold what is no number (NaN)") }
      let questions = keys.map { key in
        (
          words: QuestionWords(key.prompt, subject: key.subject, continues: site.format == .raw),
          key: [UInt8](key.vector)
        )
      }
      if status == .live { live.append(edit) }
      words += questions.map(\.words)
      snapshot.place(
        LoadedEdit(
          edit: edit,
          questions: questions,
          value: stride(from: 0, to: value.count, by: valueBytes).map {
            [UInt8](value.dropFirst($0).prefix(valueBytes))
          },
          answer: Editor.hash(answer), isLive: status == .live))
    }
    snapshot.index(words)
    for edit in live where snapshot.codebook != nil {
      guard let slot = snapshot.slotsOfEdit[edit]?.first else { continue }
      snapshot.codebook?.insert(snapshot.keys.vector(slot), label: labels[edit] ?? [], edit: edit)
    }
    return snapshot
  }
}

extension VectorTable {
  /// Whether bytes of whole rows, which come from a file, hold numbers throughout.
  func isFinite(_ rows: [UInt8]) -> Bool {
    switch element {
    case .int8:
      return stride(from: 0, to: rows.count - 3, by: rowByteCount).allSatisfy { place in
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(rows[place + $1]) << UInt32(8 * $1) }
        return Float(bitPattern: bits).isFinite
      }
    case .float16:
      // All ones in the exponent: infinite, or no number.
      return stride(from: 1, to: rows.count, by: 2).allSatisfy { rows[$0] & 0x7c != 0x7c }
    }
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
