import Foundation
import MartletTensor

/// The tokens that can be drawn, the likeliest first, of equal ones the lower number first. Tokens are put into bins of nearly equal logits, and
/// a bin is sorted when it is reached, so the first n of them cost O(vocabulary + n log n).
struct RankedCandidates: Sequence, IteratorProtocol {
  typealias Candidate = (token: Int, probability: Float)
  private static let bins = 256
  /// How far below the greatest logit a token may lie, in units of the temperature: its probability is then under 2e-9.
  private static let depth: Float = 20

  /// The sum of the probabilities, 1 but for rounding.
  let total: Double
  /// What a weight is divided by to be a probability.
  private let sum: Float
  /// Tokens with weights relative to that of the greatest.
  private var candidates: [Candidate]
  /// Where each bin ends in `candidates`.
  private var ends = [Int](repeating: 0, count: bins)
  private var bin = 0
  private var place = 0

  /// - Parameters:
  ///   - row: the logits; a token that may not be drawn has minus infinity.
  ///   - greatest: the token with the greatest logit, which is finite.
  ///   - temperature: the divisor of the logits, above 0.
  init(_ row: Tensor.Elements, greatest: Int, temperature: Float) {
    let top = row[greatest], floor = top - Self.depth * temperature
    var unordered: [Candidate] = [], bins: [UInt8] = [], sum = 0.0
    unordered.reserveCapacity(row.count)
    bins.reserveCapacity(row.count)
    for (token, logit) in row.enumerated() where logit > floor || token == greatest {
      let below = (top - logit) / temperature, weight = exp(-below)
      sum += Double(weight)
      unordered.append((token, weight))
      let bin = Int(Swift.min(below * (Float(Self.bins) / Self.depth), Float(Self.bins - 1)))
      bins.append(UInt8(bin))
      ends[bin] += 1
    }
    self.sum = Float(sum)
    total = sum / Double(self.sum)
    var starts = ends, start = 0
    for bin in ends.indices {
      starts[bin] = start
      start += ends[bin]
      ends[bin] = start
    }
    candidates = unordered
    for (candidate, bin) in zip(unordered, bins) {
      candidates[starts[Int(bin)]] = candidate
      starts[Int(bin)] += 1
    }
  }

  mutating func next() -> Candidate? {
    guard place < candidates.count else { return nil }
    while place == (bin == 0 ? 0 : ends[bin - 1]), bin < Self.bins {
      let members = place..<ends[bin]
      bin += 1
      candidates[members].sort { ($0.probability, $1.token) > ($1.probability, $0.token) }
      if !members.isEmpty { break }
    }
    defer { place += 1 }
    return (candidates[place].token, candidates[place].probability / sum)
  }
}
