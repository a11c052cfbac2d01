import MartletEngine
import MartletTensor

/// All edits at one moment: a value that readers keep while the writer makes the next.
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

  /// Counts changes.
  public private(set) var version = 0
  let keyWidth, valueWidth: Int
  let calibration: KeyCalibration
  private(set) var index = SubjectIndex()
  private(set) var slots: [Slot] = []
  private(set) var keys: VectorTable
  private(set) var values: VectorTable
  /// Rows of the longest value.
  private(set) var mostRows = 1
  /// Slots of each edit that is in the snapshot.
  private(set) var slotsOfEdit: [Int: Range<Int>] = [:]
  /// What each edit answers, in its own words.
  private(set) var answers: [Int: String] = [:]
  /// Of the paper's rules or those of the codes; nil for Martlet's own.
  var codebook: Codebook?

  /// A score of an edit must lie this far above that of one with another answer.
  static let margin: Float = 0.02

  init(keyWidth: Int, valueWidth: Int, calibration: KeyCalibration, codebook: Codebook? = nil) {
    self.keyWidth = keyWidth
    self.valueWidth = valueWidth
    self.calibration = calibration
    self.codebook = codebook
    keys = VectorTable(width: keyWidth, element: codebook == nil ? .int8 : .float16)
    values = VectorTable(width: valueWidth, element: .float16)
  }

  /// Edits in force.
  public var liveCount: Int { slotsOfEdit.values.count { slots[$0.lowerBound].isLive } }
  public var keyCount: Int { slots.count(where: \.isLive) }
  /// Bytes of keys and values.
  public var byteCount: Int { keys.byteCount + values.byteCount }

  /// Adds an edit. Beside the copies of what changed: O(edits) once in a while.
  mutating func add(_ item: LoadedEdit) {
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

  /// Decides which edit answers a question: the subject must be named, the key must lie within the radius, the best
  /// must beat the best of another answer.
  ///
  /// - Parameter direction: of the question's key; only asked for when the words leave a candidate.
  func decide(_ words: QuestionWords, direction: () -> [Float]) -> EditDecision {
    var decision = EditDecision(radius: calibration.radius)
    if let slot = index.slots(of: words.normal).last(where: { slots[$0].isLive }) {
      let match = EditMatch(
        slot: slot, edit: slots[slot].edit, distance: 0, radius: calibration.radius, coverage: 1, score: .infinity)
      decision.fired = match
      decision.matches = [match]
      decision.isExact = true
      return decision
    }
    let candidates = index.candidates(for: words).filter { slots[$0.slot].isLive }
    let asking = candidates.filter { !words.isNeighbour(of: $0.words) }
    decision.namedSubjects = candidates.count
    decision.neighbours = candidates.count - asking.count
    guard !asking.isEmpty else { return decision }
    let key = VectorTable.Quantized(direction())
    var best: EditMatch?, rival: EditMatch?
    for candidate in asking {
      let cosine = keys.dot(candidate.slot, key)
      let match = EditMatch(
        slot: candidate.slot, edit: slots[candidate.slot].edit, distance: KeyCalibration.distance(cosine: cosine),
        radius: calibration.radius, coverage: candidate.coverage,
        score: cosine + 0.5 * candidate.coverage + 0.3 * words.sharedRelation(with: candidate.words))
      decision.matches.append(match)
      guard match.distance <= match.radius else { continue }
      if match.score >= best?.score ?? -.infinity {
        if let best, slots[best.slot].answer != slots[match.slot].answer { rival = best }
        best = match
      } else if match.score > rival?.score ?? -.infinity, let best, slots[best.slot].answer != slots[match.slot].answer
      {
        rival = match
      }
    }
    decision.matches.sort { $0.score > $1.score }
    if let best, let rival, best.score - rival.score < Self.margin {
      decision.isAmbiguous = true
    } else {
      decision.fired = best
    }
    return decision
  }
}

/// A stored question beside the one asked.
public struct EditMatch: Sendable, Equatable {
  let slot: Int
  public let edit: Int
  /// Between the directions of the two keys, 0 to 2.
  public let distance: Float
  public let radius: Float
  /// Share of the edit's subject that the question names.
  public let coverage: Float
  /// Higher is nearer: cosine, subject and shared words together.
  public let score: Float
}

/// What was decided about a question, and on what grounds.
public struct EditDecision: Sendable {
  public internal(set) var fired: EditMatch?
  /// Edits whose subject the question names and whose relation it does not contradict, the best first.
  public internal(set) var matches: [EditMatch] = []
  public let radius: Float
  /// The question is an edit's own, word for word.
  public internal(set) var isExact = false
  /// Two answers come equally near, so none is given.
  public internal(set) var isAmbiguous = false
  /// Stored questions with the subject, and those of them that ask something else in the same frame.
  public internal(set) var namedSubjects = 0, neighbours = 0

  init(radius: Float) { self.radius = radius }

  /// One sentence for people.
  public var reason: String {
    if isExact { return "the question is that of the edit" }
    if fired != nil { return "the subject is named and the key lies within the radius" }
    if isAmbiguous { return "edits with different answers come equally near" }
    if namedSubjects == 0 { return "no edit is about anything that the question names" }
    if matches.isEmpty { return "the edits about this subject ask something else of it" }
    return "no key of an edit about this subject lies within the radius"
  }
}
