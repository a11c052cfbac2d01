import MartletEngine
import MartletTensor

/// All edits at one moment. It is a value type, which readers keep while the writer makes the next snapshot.
public struct EditSnapshot: Sendable {
  /// One key: a question of an edit, in its own words or in others'.
  struct Slot: Sendable {
    let edit: Int
    /// Rows of ``values``.
    let firstValue: Int32
    let valueCount: Int32
    /// Edits of one answer do not compete.
    let answer: UInt64
    var isLive: Bool
  }

  /// The number of changes so far.
  public private(set) var version = 0
  package let keyWidth, valueWidth: Int
  package let calibration: KeyCalibration
  private(set) var index = SubjectIndex()
  private(set) var slots: [Slot] = []
  package private(set) var keys: VectorTable
  private(set) var values: VectorTable
  /// Rows of the longest value.
  private(set) var mostRows = 1
  /// Slots of each edit that is in the snapshot.
  private(set) var slotsOfEdit: [Int: Range<Int>] = [:]
  /// What each edit answers, in its own words.
  private(set) var answers: [Int: String] = [:]
  /// Of the paper's rules or those of the codes; nil for Martlet's own.
  var codebook: Codebook?

  init(keyWidth: Int, valueWidth: Int, calibration: KeyCalibration, codebook: Codebook? = nil) {
    self.keyWidth = keyWidth
    self.valueWidth = valueWidth
    self.calibration = calibration
    self.codebook = codebook
    keys = VectorTable(width: keyWidth, element: codebook == nil ? .int8 : .float16)
    values = VectorTable(width: valueWidth, element: .float16)
  }

  /// The number of edits in force.
  public var liveCount: Int { slotsOfEdit.values.count { slots[$0.lowerBound].isLive } }
  /// The number of keys of edits in force; an edit has one for each of its questions.
  public var keyCount: Int { slots.count(where: \.isLive) }
  /// The memory of keys and values in bytes.
  public var byteCount: Int { keys.byteCount + values.byteCount }

  /// Adds an edit. Beside the copies of what changed: O(edits) once in a while.
  package mutating func add(_ item: LoadedEdit) {
    place(item)
    for question in item.questions { index.add(question.words) }
  }

  /// Indexes the questions of all edits that were placed, in order. O(questions).
  mutating func index(_ words: [QuestionWords]) { index = SubjectIndex(words) }

  /// Takes the vectors of an edit, whose questions are indexed later.
  mutating func place(_ item: LoadedEdit) {
    version += 1
    let first = values.count
    for row in item.value { values.append(row) }
    mostRows = max(mostRows, item.value.count)
    slotsOfEdit[item.edit] = slots.count..<slots.count + item.questions.count
    answers[item.edit] = item.answer
    let answer = Editor.hash(item.answer)
    for question in item.questions {
      keys.append(question.key)
      slots.append(
        Slot(
          edit: item.edit, firstValue: Int32(first), valueCount: Int32(item.value.count), answer: answer,
          isLive: item.isLive))
    }
  }

  /// Puts an edit in force or out of it.
  mutating func set(edit: Int, isLive: Bool) {
    version += 1
    for slot in slotsOfEdit[edit] ?? 0..<0 { slots[slot].isLive = isLive }
  }

  /// Numbers of the edits in force.
  var liveEdits: Set<Int> { Set(slotsOfEdit.lazy.filter { slots[$0.value.lowerBound].isLive }.map(\.key)) }

  /// Whether an edit is in force; nil where it is not in the snapshot.
  func isLive(edit: Int) -> Bool? { (slotsOfEdit[edit]?.first).map { slots[$0].isLive } }

  /// The value of an edit, `[rows, outputs]`.
  func value(ofEdit edit: Int) -> Tensor? {
    (slotsOfEdit[edit]?.first).map { value(slot: $0) }
  }

  private func value(slot: Int) -> Tensor {
    let (first, count) = (Int(slots[slot].firstValue), Int(slots[slot].valueCount))
    return Tensor((first..<first + count).flatMap(values.vector), shape: [count, valueWidth])
  }

  /// The edit that a decision names, ready for the engine.
  func chosen(_ match: EditMatch, layer: String) -> ChosenEdit {
    ChosenEdit(layer: layer, values: value(slot: match.slot), fired: fired(match))
  }

  /// What an answer says of the edit that a decision names.
  func fired(_ match: EditMatch) -> FiredEdit {
    FiredEdit(id: match.edit, distance: match.distance, radius: match.radius, answer: answers[match.edit] ?? "")
  }
}
