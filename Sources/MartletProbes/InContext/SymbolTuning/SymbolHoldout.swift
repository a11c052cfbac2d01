import MartletEvaluation

/// What symbol tuning is stopped by: AUROC on held-out texts of the tuned data, with symbols that are never tuned with.
public struct SymbolHoldout: Sendable {
  private let prompts: [SymbolPrompt]

  /// Contexts of a mixture.
  /// - Parameters:
  ///   - mixture: what draws the prompts.
  ///   - contexts: the number of contexts.
  ///   - shots: the number of exemplars of each class.
  ///   - queries: the number of queries of a context.
  public init(_ mixture: SymbolTuningMixture, contexts: Int, shots: Int, queries: Int) {
    prompts = (0..<contexts).map { mixture.evaluationPrompt($0, shots: shots, queries: queries) }
  }

  /// The AUROC of a model with its interval over contexts.
  public func areaUnderCurve(_ scorer: any ContinuationScorer) async throws -> InContextEstimate {
    var rows: [InContextRow] = []
    for (block, prompt) in prompts.enumerated() {
      let requests = try prompt.queries.map { query in
        try prompt.labels.map { label in
          try scorer.encode(
            ContinuationRequest(
              context: prompt.prefix + prompt.format.query(query.text), continuation: prompt.format.continuation(label))
          )
        }
      }
      let scores = try await scorer.scores(requests)
      for (place, query) in prompt.queries.enumerated() {
        rows.append(
          InContextRow(
            task: "held out", shots: 0, setting: "symbols", context: ContextKey(seed: 0, block: block),
            query: "\(place)", gold: query.gold, scores: scores[place].map(\.logLikelihood)))
      }
    }
    return InContextSummary(rows).cells.first?.measures[.areaUnderCurve]
      ?? InContextEstimate(value: .nan, interval: ConfidenceInterval(lower: .nan, upper: .nan))
  }
}
