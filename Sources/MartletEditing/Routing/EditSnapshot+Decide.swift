import MartletTensor

extension EditSnapshot {
  /// A score of an edit must lie this far above that of one with another answer.
  static let margin: Float = 0.02
  /// What a question with all of an edit's words of weight scores more than one that has but the subject.
  static let sameWords: Float = 0.1
  /// A question that only adds to an edit's words may lie this much farther than the radius.
  static let completeReach: Float = 1.12
  /// Most passes of the model that one message may take.
  static let mostKeys = 4

  /// A part of the message beside a stored question.
  private struct Pair {
    let slot: Int
    let part: Int
    let comparison: QuestionComparison
    let length: Int
  }

  /// Decides which edit answers a message.
  ///
  /// A message that is a stored question fires it. Else each part of the message is compared with the questions whose
  /// subject it names (``QuestionComparison``): a question that is there word for word wins, the first of several. Then
  /// come those with the same words of weight, and those that words leave open, whose key (a short pass of the model)
  /// must lie within the radius. The best score wins; two different answers with nearly the same score give none.
  ///
  /// - Parameter direction: of a text's key; only asked for when the words leave it open.
  package func decide(_ message: MessageParts, direction: (String) -> [Float]) -> EditDecision {
    var decision = EditDecision(radius: calibration.radius)
    if let slot = index.slots(of: message.normal).last(where: { slots[$0].isLive }) {
      decision.fired = match(slot, distance: 0, coverage: 1, score: .infinity)
      decision.matches = decision.fired.map { [$0] } ?? []
      decision.isExact = true
      return decision
    }
    let pairs = pairs(message)
    decision.namedSubjects = Set(pairs.map(\.slot)).count
    decision.neighbours = Set(pairs.filter { $0.comparison.verdict == .otherRelation }.map(\.slot)).count
    let verbatim = pairs.filter { $0.comparison.verdict == .verbatim }
    if let first = verbatim.map(\.part).min(),
      let pair = verbatim.filter({ $0.part == first }).max(by: { ($0.length, $0.slot) < ($1.length, $1.slot) })
    {
      decision.fired = match(pair.slot, distance: 0, coverage: 1, score: .infinity)
      decision.matches = decision.fired.map { [$0] } ?? []
      decision.isByWords = true
      return decision
    }
    let asking = pairs.filter {
      $0.comparison.verdict == .same || $0.comparison.verdict == .open && message.parts[$0.part].isOpen
    }
    if let first = asking.first, first.comparison.verdict == .same,
      asking.allSatisfy({ slots[$0.slot].answer == slots[first.slot].answer && $0.comparison.verdict == .same })
    {
      decision.fired = match(first.slot, distance: 0, coverage: 1, score: 2)
      decision.matches = decision.fired.map { [$0] } ?? []
      decision.isByWords = true
      return decision
    }
    decideByKeys(asking, message, direction, &decision)
    return decision
  }

  private func decideByKeys(
    _ asking: [Pair], _ message: MessageParts, _ direction: (String) -> [Float], _ decision: inout EditDecision
  ) {
    var best: [Int: (match: EditMatch, reaches: Bool, isSame: Bool)] = [:]
    for part in keyed(asking, message) {
      let key = VectorTable.Quantized(direction(message.parts[part].text))
      for pair in asking where pair.part == part {
        let comparison = pair.comparison, isSame = comparison.verdict == .same
        let cosine = keys.dot(pair.slot, key), distance = KeyCalibration.distance(cosine: cosine)
        let match = match(
          pair.slot, distance: distance, coverage: comparison.coverage,
          score: cosine + 0.5 * comparison.coverage + 0.3 * comparison.sharedRelation + (isSame ? Self.sameWords : 0))
        let reach = calibration.radius * (comparison.isComplete ? Self.completeReach : 1)
        let found = (match, isSame || distance <= reach, isSame)
        if let old = best[pair.slot], old.reaches != found.1 ? old.reaches : old.match.score >= match.score { continue }
        best[pair.slot] = found
      }
    }
    let found = best.values.sorted { ($0.match.score, $0.match.slot) > ($1.match.score, $1.match.slot) }
    decision.matches = found.map(\.match)
    let reaching = found.filter(\.reaches)
    guard let first = reaching.first else { return }
    let rival = reaching.first { slots[$0.match.slot].answer != slots[first.match.slot].answer }
    if let rival, first.match.score - rival.match.score < Self.margin {
      decision.isAmbiguous = true
    } else {
      decision.fired = first.match
      decision.isByWords = first.isSame
    }
  }

  /// Live stored questions whose subject a part of the message names, with each such part.
  private func pairs(_ message: MessageParts) -> [Pair] {
    message.parts.enumerated().flatMap { number, part in
      index.candidates(for: part.words).compactMap { candidate -> Pair? in
        guard slots[candidate.slot].isLive, !part.isReported, !message.isWork(on: candidate.words) else { return nil }
        let comparison = QuestionComparison(candidate.words, part.words)
        if comparison.verdict == .otherSubject { return nil }
        return Pair(
          slot: candidate.slot, part: number, comparison: comparison, length: candidate.words.items.count)
      }
    }
  }

  /// The parts that the model is asked about: those that come nearest by their words.
  private func keyed(_ asking: [Pair], _ message: MessageParts) -> [Int] {
    var nearness: [Int: Float] = [:]
    for pair in asking {
      let words = pair.comparison.coverage + pair.comparison.sharedRelation
      nearness[pair.part] = max(nearness[pair.part] ?? 0, words)
    }
    return nearness.sorted { ($0.value, -$0.key) > ($1.value, -$1.key) }.prefix(Self.mostKeys).map(\.key)
  }

  private func match(_ slot: Int, distance: Float, coverage: Float, score: Float) -> EditMatch {
    EditMatch(
      slot: slot, edit: slots[slot].edit, distance: distance, radius: calibration.radius, coverage: coverage,
      score: score)
  }
}
