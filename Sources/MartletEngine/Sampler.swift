import Foundation
import MartletData
import MartletModels
import MartletTensor

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Chooses tokens for one sequence and keeps the token counts for the penalties.
public struct Sampler: Sendable {
  private let options: Sampling
  private var random: RandomStream
  private var counts: [Int: Float] = [:]
  /// The logits after biases and penalties; a token that may not be drawn has minus infinity.
  private var row: [Float] = []

  /// - Parameter options: how tokens are chosen. Precondition: they are valid, see ``Sampling/validate()``.
  public init(_ options: Sampling) {
    self.options = options
    random = RandomStream(seed: options.seed)
  }

  /// Counts a token for the penalties.
  public mutating func observe(_ token: Int) {
    if options.penaltyDecay != 1 { counts = counts.mapValues { $0 * options.penaltyDecay } }
    counts[token, default: 0] += 1
  }

  /// Chooses a token from one row of logits. O(vocabulary), and O(n log n) in the n likeliest tokens up to where
  /// truncation, or without it the draw, ends.
  /// - Throws: ``SamplingError/notFinite(token:)`` if a logit is NaN or infinite.
  public mutating func sample(_ logits: Tensor.Elements) throws(SamplingError) -> Int {
    try checkFinite(logits)
    if isGreedy, options.logitBias.isEmpty, counts.isEmpty || !options.penalizes { return Self.greatest(logits) ?? 0 }
    fill(logits)
    guard let token = choose() else { throw .nothingAllowed }
    return token
  }

  /// Draws among the tokens that `allows` lets through, as if the others did not exist: they count neither for top-k
  /// nor for top-p.
  ///
  /// Where nothing is truncated, a refused token is put aside and the draw is repeated, which gives the same odds as
  /// a draw among the allowed ones and mostly asks `allows` once. All tokens are asked for only after a few refusals.
  /// - Throws: ``SamplingError/notFinite(token:)``, or ``SamplingError/nothingAllowed`` when every token is refused.
  mutating func sample(
    _ logits: Tensor.Elements, allows: (Int) -> Bool
  ) throws(SamplingError) -> Int {
    try checkFinite(logits)
    fill(logits)
    if isGreedy || !options.truncates {
      for _ in 0..<8 {
        guard let token = choose() else { throw .nothingAllowed }
        if allows(token) { return token }
        row[token] = -.infinity
      }
    } else if let candidates = candidates(),
      let token = draw(truncated(allowed(candidates, total: candidates.total, allows).kept))
    {
      return token
    }
    for token in row.indices where row[token] > -.infinity && !allows(token) { row[token] = -.infinity }
    guard let token = choose() else { throw .nothingAllowed }
    return token
  }

  /// Chooses as ``sample(_:)-(Tensor.Elements)`` does, or among the tokens that `allows` lets through, from the likeliest tokens alone where the choice
  /// falls among them.
  /// - Throws: as the functions that have all logits.
  mutating func sample(_ row: LogitRow, allows: ((Int) -> Bool)? = nil) throws(SamplingError) -> Int {
    if let likeliest = row.likeliest {
      var attempt = self
      if let token = attempt.choice(among: likeliest, allows) {
        self = attempt
        return token
      }
    }
    return try row.withAll { logits throws(SamplingError) in
      if let allows { return try sample(logits, allows: allows) }
      return try sample(logits)
    }
  }

  /// What the likeliest logits of a row must be divided by for ``sample(_:allows:)-(LogitRow,_)``; nil where it would need all logits.
  var temperatureOfLikeliest: Float? {
    guard options.logitBias.isEmpty, !options.penalizes, options.typicalP == 1 else { return nil }
    return isGreedy || options.truncatesFirst && options.truncates ? 1 : options.temperature
  }

  /// The least probability of the allowed tokens together for which those of the likeliest are exact enough: what is left of 1 when refused ones are
  /// taken away is mostly rounding below.
  private static let leastAllowed = 0.1

  /// - Returns: nil where the choice depends on other tokens than these.
  private mutating func choice(among row: LikeliestLogits.Row, _ allows: ((Int) -> Bool)?) -> Int? {
    guard row.temperature == temperatureOfLikeliest else { return nil }
    if isGreedy { return row.tokens.first { allows?($0.token) ?? true }?.token }
    let candidates = LikeliestCandidates(row)
    guard options.truncates else {
      var left = Array(candidates), total = 1.0
      for _ in 0..<8 where total >= Self.leastAllowed {
        guard let index = place(in: left, total: total) else { return nil }
        if allows?(left[index].token) ?? true { return left[index].token }
        total -= Double(left.remove(at: index).probability)
      }
      return nil
    }
    guard let allows else {
      let kept = truncated(candidates)
      return candidates.isSpent ? nil : draw(kept)
    }
    let (kept, sum) = allowed(candidates, total: 1, allows)
    return candidates.isSpent || sum < Self.leastAllowed ? nil : draw(truncated(kept))
  }

  /// Below this temperature two logits that differ at all are farther apart than chance could bridge.
  private var isGreedy: Bool { options.temperature < 1e-7 }

  /// O(vocabulary), sixteen at a time.
  private func checkFinite(_ logits: Tensor.Elements) throws(SamplingError) {
    var zeros = SIMD16<Float>.zero
    let whole = logits.count / 16 * 16
    // Zero times a number is zero, but times NaN or infinity it is NaN.
    for start in stride(from: 0, to: whole, by: 16) { zeros += SIMD16<Float>(logits[start..<start + 16]) * 0 }
    guard zeros.sum() == 0, logits[whole...].allSatisfy(\.isFinite) else {
      throw .notFinite(token: logits.firstIndex { !$0.isFinite } ?? 0)
    }
  }

  /// Takes over the logits and applies biases and penalties. Sums are made in double precision and kept finite, so
  /// that extreme settings order tokens but never produce NaN.
  private mutating func fill(_ logits: Tensor.Elements) {
    row.removeAll(keepingCapacity: true)
    row.append(contentsOf: logits)
    func finite(_ value: Double) -> Float { Float(min(max(value, -1e30), 1e30)) }
    for (token, bias) in options.logitBias where row.indices.contains(token) {
      row[token] = finite(Double(row[token]) + Double(bias))
    }
    guard options.penalizes else { return }
    let repetition = Double(options.repetitionPenalty)
    for (token, count) in counts where row.indices.contains(token) {
      let logit = Double(row[token])
      row[token] = finite(
        (logit > 0 ? logit / repetition : logit * repetition)
          - Double(options.presencePenalty) - Double(options.frequencyPenalty) * Double(count))
    }
  }

  /// A token of `row`; nil when none is left.
  private mutating func choose() -> Int? {
    if isGreedy { return row.withUnsafeBufferPointer(Self.greatest) }
    guard let candidates = candidates() else { return nil }
    if options.truncates { return draw(truncated(candidates)) }
    return draw(candidates, total: candidates.total)
  }

  /// The first of the greatest; nil when all are minus infinity. O(vocabulary), sixteen at a time.
  private static func greatest(_ logits: Tensor.Elements) -> Int? {
    var tops = SIMD16<Float>(repeating: -.infinity)
    let whole = logits.count / 16 * 16
    for start in stride(from: 0, to: whole, by: 16) {
      let values = SIMD16<Float>(logits[start..<start + 16])
      tops.replace(with: values, where: values .> tops)
    }
    var top = tops.max()
    for logit in logits[whole...] where logit > top { top = logit }
    return top > -.infinity ? logits.firstIndex(of: top) : nil
  }

  private typealias Candidate = RankedCandidates.Candidate

  /// Draws among the likeliest that truncation keeps.
  private mutating func draw(_ candidates: [Candidate]) -> Int? {
    if candidates.isEmpty { return nil }
    // Relative to the likeliest, whose weight is then 1 however low the temperature is.
    let most = candidates.reduce(0) { max($0, $1.probability) }
    let weights = candidates.map {
      options.truncatesFirst ? pow($0.probability / most, 1 / options.temperature) : $0.probability
    }
    return draw(zip(candidates, weights).lazy.map { ($0.token, $1) }, total: weights.reduce(0) { $0 + Double($1) })
  }

  /// Draws among candidates whose weights have the sum `total`.
  private mutating func draw(_ candidates: some Sequence<Candidate>, total: Double) -> Int? {
    var rest = random.uniform() * total
    // Rounding can leave a little of `rest` behind the last one.
    var last: Int?
    for candidate in candidates {
      rest -= Double(candidate.probability)
      if rest < 0 { return candidate.token }
      if candidate.probability > 0 { last = candidate.token }
    }
    return last
  }

  /// Where a draw among weights with the sum `total` falls; nil if behind these.
  private mutating func place(in candidates: [Candidate], total: Double) -> Int? {
    var rest = random.uniform() * total
    return candidates.firstIndex { candidate in
      rest -= Double(candidate.probability)
      return rest < 0
    }
  }

  /// The tokens that can be drawn; nil when none is left.
  private func candidates() -> RankedCandidates? {
    row.withUnsafeBufferPointer(Self.greatest).map {
      // Where nothing is truncated it does not matter what comes first.
      let waits = options.truncatesFirst && options.truncates
      return RankedCandidates(row, greatest: row[$0], temperature: waits ? 1 : options.temperature)
    }
  }

  /// The first of the candidates that are allowed, as many as it takes to know where truncation ends, with
  /// probabilities among the allowed, and the sum of what they were before.
  private func allowed(_ candidates: some Sequence<Candidate>, total: Double, _ allows: (Int) -> Bool)
    -> (kept: [Candidate], sum: Double)
  {
    var kept: [Candidate] = []
    var sums: [Double] = []  // of the kept probabilities, up to each
    var untested = total
    var sum = 0.0
    let topP = Double(options.topP)
    var end = 0  // where top-p would end if no further token were allowed
    for candidate in candidates {
      untested -= Double(candidate.probability)
      guard allows(candidate.token) else { continue }
      kept.append(candidate)
      sum += Double(candidate.probability)
      sums.append(sum)
      if options.typicalP < 1 { continue }
      if topP < 1 {
        while sums[end] < topP * sum { end += 1 }
        // Were all the others allowed, it would end at the same place.
        if sums[end] >= topP * (sum + max(0, untested)) { break }
      } else if options.topK > 0, kept.count >= options.topK {
        break
      } else if options.minP > 0, candidate.probability < kept[0].probability * options.minP {
        break
      }
    }
    return (kept.map { ($0.token, $0.probability / Float(sum)) }, sum)
  }

  /// The candidates that top-k, top-p, min-p and typical-p keep; at least one, if any is given.
  private func truncated(_ candidates: some Sequence<Candidate>) -> [Candidate] {
    var kept: [Candidate] = [], sum: Float = 0
    for candidate in candidates {
      if let first = kept.first, candidate.probability < first.probability * options.minP { break }
      kept.append(candidate)
      sum += candidate.probability
      if kept.count == options.topK || options.topP < 1 && sum >= options.topP { break }
    }
    return options.typicalP < 1 && !kept.isEmpty ? typical(kept) : kept
  }

  private func typical(_ candidates: [Candidate]) -> [Candidate] {
    func information(_ probability: Float) -> Float { -log(max(probability, 1e-30)) }
    let entropy = candidates.reduce(0) { $0 + $1.probability * information($1.probability) }
    let ordered = candidates.sorted {
      abs(information($0.probability) - entropy) < abs(information($1.probability) - entropy)
    }
    var sum: Float = 0
    var kept: [Candidate] = []
    for candidate in ordered {
      kept.append(candidate)
      sum += candidate.probability
      if sum >= options.typicalP { break }
    }
    // A temperature that comes afterwards leads to temperature 0's token only if that token is still there.
    if options.truncatesFirst, !kept.contains(where: { $0.token == candidates[0].token }) { kept.append(candidates[0]) }
    return kept
  }
}

/// Why no token could be chosen.
public enum SamplingError: ExplainedError, Equatable {
  /// The model's logit of this token is NaN or infinite.
  case notFinite(token: Int)
  /// The grammar allows no token of the vocabulary.
  case nothingAllowed
  /// The grammar exceeded its limits while the answer was generated; the reason is given.
  case notFollowed(String)

  /// One sentence that says what is wrong and what can be done.
  public var message: String {
    switch self {
    case .notFinite(let token):
      "the model's logit of token \(token) is NaN or infinite, so no token can be chosen; its weights are damaged, "
        + "or their format cannot represent their values (try another `--format`)"
    case .nothingAllowed:
      "no token of the model's vocabulary continues the grammar, so the answer cannot be finished; "
        + "allow other characters, or use another model"
    case .notFollowed(let problem): problem
    }
  }
}
