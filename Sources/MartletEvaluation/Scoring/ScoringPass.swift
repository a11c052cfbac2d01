import Dispatch
import MartletEngine
import MartletModels
import MartletTensor

/// One forward pass over pieces of texts, and the scores of some of its rows.
struct ScoringPass: Sendable {
  /// The next tokens of one text.
  struct Sequence: Sendable {
    var tokens: ArraySlice<Int>
    /// The state behind which they stand; nil for the beginning of a text.
    var state: (any SequenceState)?
    /// Whether others go on from the state too, so that a copy is read on.
    var copiesState = false
    /// What acts on which of the tokens.
    var interventions: [(intervention: Intervention, rows: Range<Int>)] = []
    /// Which of the rows are scored, and with which tokens.
    var scored: [(row: Int, targets: [ScoringPlan.Target])] = []
  }

  /// What a pass has found for one sequence.
  struct Result: Sendable {
    /// The state behind the tokens.
    let state: any SequenceState
    /// Of each scored row the natural logarithm of the probability of each target, and whether it is the most likely token.
    var scores: [[(logProbability: Float, isBest: Bool)]] = []
    /// Whether an intervention has changed the pass.
    var isChanged = false
  }

  let model: any LanguageModel
  let sequences: [Sequence]

  /// The floats of logits that are in memory together: 16 MiB, as larger blocks are returned to the system each time.
  private static let logitCount = 4 << 20

  /// Runs the pass on a thread of its own, so that none of the few that serve all tasks is kept busy.
  /// - Throws: `ModelFailure` if the device that the model runs on has failed.
  func results() async throws -> [Result] {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Swift.Result {
            let results = run()
            try model.checkPasses()
            return results
          })
      }
    }
  }

  private func run() -> [Result] {
    var results = states().map { Result(state: $0) }
    var batch = Batch(outputs: .all)
    var places: [InterventionPass.Place] = []
    var rows: [Int] = []
    for (index, sequence) in sequences.enumerated() {
      let state = results[index].state
      batch.append(sequence.tokens, state: state)
      let first = batch.spans[index].lowerBound
      rows += sequence.scored.map { first + $0.row }
      places += sequence.interventions.map { intervention, rows in
        InterventionPass.Place(
          sequence: index, intervention: intervention, rows: first + rows.lowerBound..<first + rows.upperBound,
          position: state.position + rows.lowerBound)
      }
    }
    batch.outputs = .rows(rows.isEmpty ? [0] : rows)  // a pass gives one row at least
    let model = IntervenedModel(model, places)
    let hidden = model.model.hidden(batch)
    for (sequence, effect) in model.effects where effect.replacement != nil { results[sequence].isChanged = true }
    guard !rows.isEmpty else { return results }
    let scores = scores(of: sequences.flatMap(\.scored).map(\.targets), hidden: hidden)
    var place = 0
    for (index, sequence) in sequences.enumerated() {
      results[index].scores = Array(scores[place..<place + sequence.scored.count])
      place += sequence.scored.count
    }
    return results
  }

  /// The states from which the sequences are read on.
  private func states() -> [any SequenceState] {
    sequences.map { sequence in
      guard let state = sequence.state else { return model.makeState() }
      return sequence.copiesState ? state.copy() : state
    }
  }

  private func scores(
    of targets: [[ScoringPlan.Target]], hidden: Tensor
  ) -> [[(logProbability: Float, isBest: Bool)]] {
    let step = max(16, Self.logitCount / max(1, model.description.vocabularySize))
    return stride(from: 0, to: targets.count, by: step).flatMap { first in
      let rows = first..<min(targets.count, first + step)
      let logits = model.project(hidden.rows(rows)).contiguous()
      let (sums, best) = logits.rowPredictions()
      return rows.map { row in
        logits.withFloats(row: row - first) { values in
          targets[row].map { (values[$0.token] - sums[row - first], best[row - first] == $0.token) }
        }
      }
    }
  }
}
