import Foundation
import MartletEngine
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
    guard calibration.mean.count == widths.key else {
      throw EditStore.damaged(
        store.path, "table binding, row calibration",
        "has \(calibration.mean.count) numbers, but the layer needs \(widths.key)")
    }
    var labels: [Int: [Int]] = [:]
    if snapshot.codebook != nil {
      for record in try store.records() { if let id = record.id { labels[id] = record.labelTokens } }
    }
    var words: [QuestionWords] = []
    var live: [Int] = []
    try store.forEach { stored in
      let item = try snapshot.loaded(stored, site: site, path: store.path)
      if item.isLive { live.append(item.edit) }
      words += item.questions.map(\.words)
      snapshot.place(item)
    }
    snapshot.index(words)
    for edit in live where snapshot.codebook != nil {
      guard let slot = snapshot.slotsOfEdit[edit]?.first else { continue }
      snapshot.codebook?.insert(snapshot.keys.vector(slot), label: labels[edit] ?? [], edit: edit)
    }
    return snapshot
  }

  /// An edit as it stands in a store, ready to be placed.
  /// - Throws: ``EditError`` naming the edit when its vectors do not fit.
  func loaded(_ stored: EditStore.StoredEdit, site: EditSite, path: String) throws -> LoadedEdit {
    let place = "edit \(stored.id)", valueBytes = values.rowByteCount
    guard !stored.keys.isEmpty, stored.keys.allSatisfy({ $0.vector.count == keys.rowByteCount }),
      !stored.value.isEmpty, stored.value.count % valueBytes == 0
    else { throw EditStore.damaged(path, place, "its vectors have the wrong size") }
    guard stored.keys.allSatisfy({ keys.isFinite([UInt8]($0.vector)) }), values.isFinite([UInt8](stored.value))
    else { throw EditStore.damaged(path, place, "its vectors contain NaN") }
    return LoadedEdit(
      edit: stored.id,
      questions: stored.keys.map { key in
        (
          words: QuestionWords(key.prompt, subject: key.subject, continues: site.format == .raw),
          key: [UInt8](key.vector)
        )
      },
      value: stride(from: 0, to: stored.value.count, by: valueBytes).map {
        [UInt8](stored.value.dropFirst($0).prefix(valueBytes))
      },
      answer: stored.answer, isLive: stored.status == .live)
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
package struct LoadedEdit {
  let edit: Int
  let questions: [(words: QuestionWords, key: [UInt8])]
  let value: [[UInt8]]
  let answer: String
  let isLive: Bool

  package init(
    edit: Int, questions: [(words: QuestionWords, key: [UInt8])], value: [[UInt8]], answer: String, isLive: Bool
  ) {
    self.edit = edit
    self.questions = questions
    self.value = value
    self.answer = answer
    self.isLive = isLive
  }
}
