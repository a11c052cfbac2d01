import MartletModels

/// A text that is read for its embedding or for the probabilities of its tokens.
///
/// `@unchecked Sendable`: its variables are touched by the worker's thread alone from the moment the job is submitted until
/// its continuation is resumed, and by its owner before and after.
final class ReadingJob: EngineJob, @unchecked Sendable {
  enum Purpose: CaseIterable { case embedding, logProbabilities }

  let tokens: [Int]
  let purpose: Purpose
  /// The number of most likely tokens to return at every position; nil returns only the tokens of the text.
  let alternatives: Int?
  let state: any SequenceState
  var read = 0
  /// Why the text cannot be read to its end.
  private(set) var failure: (any Error)?
  /// Sums of rows, or log-probabilities so far.
  var values: [Float] = []
  /// Every token with the likeliest ones in its place; kept where they are asked for.
  var probabilities: [TokenProbability] = []
  /// Set before the job is handed over; resumed once.
  var continuation: CheckedContinuation<[Float], any Error>?

  init(_ tokens: [Int], purpose: Purpose, alternatives: Int? = nil, state: any SequenceState) {
    self.alternatives = alternatives
    self.tokens = tokens
    self.purpose = purpose
    self.state = state
  }

  func finish(_ result: Result<[Float], any Error>) {
    continuation?.resume(with: result)
    continuation = nil
  }

  func fail(_ error: any Error) { failure = error }

  func cancelled() { finish(.failure(CancellationError())) }
}
