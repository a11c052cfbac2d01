/// What scores continuations: a model in this process, or an endpoint.
public protocol ContinuationScorer: Sendable {
  /// The tokens of a request by the rules of the field's harness: the continuation is what the tokens of both texts together have
  /// beyond the tokens of the context.
  /// - Throws: an explained error where the request cannot be expressed in tokens.
  func encode(_ request: ContinuationRequest) throws -> TokenizedRequest

  /// Checks that a request can be scored.
  /// - Throws: an explained error where it cannot, such as a continuation that is longer than the model reads.
  func check(_ request: TokenizedRequest) throws

  /// The scores of every request of every row. The requests of a row usually share a beginning, which is read once.
  ///
  /// - Parameters:
  ///   - rows: requests grouped by the question they belong to.
  ///   - finished: called in any order, as soon as a row is complete, with its place in `rows` and its scores.
  /// - Returns: `[row][request]`, in the order of `rows`.
  func scores(
    _ rows: [[TokenizedRequest]], finished: (_ row: Int, _ scores: [ContinuationScore]) throws -> Void
  ) async throws -> [[ContinuationScore]]
}

extension ContinuationScorer {
  /// Takes every request: what cannot be scored is told where it is scored.
  public func check(_ request: TokenizedRequest) throws {}

  /// The scores of every request of every row.
  public func scores(_ rows: [[TokenizedRequest]]) async throws -> [[ContinuationScore]] {
    try await scores(rows) { _, _ in }
  }
}
