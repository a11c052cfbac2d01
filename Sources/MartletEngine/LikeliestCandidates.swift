import Foundation
import MartletModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The tokens of ``LikeliestLogits`` with their probabilities among the whole vocabulary, the likeliest first, which remember whether more of them
/// than there are have been asked for. A class, as whoever reads them must see that afterwards.
final class LikeliestCandidates: Sequence, IteratorProtocol {
  private let row: LikeliestLogits.Row
  private let scale: Float
  private var place = 0
  /// Whether a token behind the last was asked for.
  private(set) var isSpent = false

  init(_ row: LikeliestLogits.Row) {
    self.row = row
    scale = 1 / row.temperature
  }

  func next() -> RankedCandidates.Candidate? {
    guard place < row.tokens.count else {
      isSpent = true
      return nil
    }
    defer { place += 1 }
    let (token, logit) = row.tokens[place]
    return (token, exp((logit - row.greatest) * scale) / row.sumAtTemperature)
  }
}
