import MartletTensor

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Chooses tokens for one sequence; remembers what was seen for the penalties.
public struct Sampler: Sendable {
  private let options: Sampling
  private var random: RandomStream
  private var counts: [Int: Float] = [:]

  public init(_ options: Sampling) {
    self.options = options
    random = RandomStream(seed: options.seed)
  }

  /// Counts a token that the penalties should know.
  public mutating func observe(_ token: Int) {
    if options.penaltyDecay != 1 { counts = counts.mapValues { $0 * options.penaltyDecay } }
    counts[token, default: 0] += 1
  }

  /// Draws from one row of logits. O(vocabulary), and O(n log n) in the n tokens that can matter.
  public mutating func sample(_ logits: UnsafeBufferPointer<Float>) -> Int {
    choose(logits, changed(logits))
  }

  /// Draws among the tokens that `allows` lets through.
  ///
  /// A refused token is put aside and the draw repeated, which gives the same odds as a draw among the allowed ones;
  /// what was drawn is mostly allowed. After a few refusals all tokens are asked for.
  mutating func sample(_ logits: UnsafeBufferPointer<Float>, allows: (Int) -> Bool) -> Int {
    var changed = changed(logits)
    for _ in 0..<8 {
      let token = choose(logits, changed)
      if allows(token) { return token }
      changed[token] = -.infinity
    }
    var allowed = Array(logits)
    for (token, logit) in changed { allowed[token] = logit }
    for token in allowed.indices where allowed[token] > -.infinity && !allows(token) { allowed[token] = -.infinity }
    return allowed.withUnsafeBufferPointer { choose($0, [:]) }
  }

  /// The logits that biases and penalties change.
  private func changed(_ logits: UnsafeBufferPointer<Float>) -> [Int: Float] {
    var changed: [Int: Float] = options.logitBias.filter { logits.indices.contains($0.key) }
      .reduce(into: [:]) { $0[$1.key] = logits[$1.key] + $1.value }
    for (token, count) in counts where logits.indices.contains(token) {
      var logit = changed[token] ?? logits[token]
      logit = logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty
      changed[token] = logit - options.presencePenalty - options.frequencyPenalty * count
    }
    return changed
  }

  private mutating func choose(_ logits: UnsafeBufferPointer<Float>, _ changed: [Int: Float]) -> Int {
    options.temperature == 0 ? greedy(logits, changed) : draw(logits, changed)
  }

  /// The first of the largest; numbers that are none lose. O(vocabulary), sixteen at a time.
  private func greedy(_ logits: UnsafeBufferPointer<Float>) -> Int {
    var tops = SIMD16<Float>(repeating: -.infinity)
    let whole = logits.count / 16 * 16
    for start in stride(from: 0, to: whole, by: 16) {
      let values = SIMD16<Float>(logits[start..<start + 16])
      tops.replace(with: values, where: values .> tops)
    }
    var top = tops.max()
    for logit in logits[whole...] where logit > top { top = logit }
    return logits.firstIndex(of: top) ?? 0
  }

  private func greedy(_ logits: UnsafeBufferPointer<Float>, _ changed: [Int: Float]) -> Int {
    if changed.isEmpty { return greedy(logits) }
    var best = 0
    var bestLogit = -Float.infinity
    for (token, logit) in logits.enumerated() where logit > bestLogit && changed[token] == nil {
      best = token
      bestLogit = logit
    }
    for (token, logit) in changed where logit > bestLogit || (logit == bestLogit && token < best) {
      best = token
      bestLogit = logit
    }
    return best
  }

  private mutating func draw(_ logits: UnsafeBufferPointer<Float>, _ changed: [Int: Float]) -> Int {
    let scale = options.truncatesFirst ? 1 : 1 / options.temperature
    var top = -Float.infinity
    for logit in logits { top = max(top, logit) }
    for logit in changed.values { top = max(top, logit) }
    guard top.isFinite else { return greedy(logits, changed) }
    var total: Double = 0
    var candidates: [(token: Int, probability: Float)] = []
    for (token, logit) in logits.enumerated() {
      // What lies 20 below the top has a probability under 2e-9.
      let distance = ((changed.isEmpty ? logit : changed[token] ?? logit) - top) * scale
      if distance > -20 {
        let weight = exp(distance)
        total += Double(weight)
        candidates.append((token, weight))
      }
    }
    candidates = candidates.map { ($0.token, $0.probability / Float(total)) }
    candidates.sort { ($0.probability, $1.token) > ($1.probability, $0.token) }
    if options.topK > 0 { candidates.removeLast(max(0, candidates.count - options.topK)) }
    if options.topP < 1 {
      var sum: Float = 0
      let end = candidates.firstIndex { candidate in
        sum += candidate.probability
        return sum >= options.topP
      }
      if let end { candidates.removeLast(candidates.count - end - 1) }
    }
    if options.minP > 0 {
      let floor = candidates[0].probability * options.minP
      candidates.removeAll { $0.probability < floor }
    }
    if options.typicalP < 1 { candidates = typical(candidates) }
    let weights = candidates.map {
      options.truncatesFirst ? pow($0.probability, 1 / options.temperature) : $0.probability
    }
    var rest = random.uniform() * weights.reduce(0) { $0 + Double($1) }
    for (candidate, weight) in zip(candidates, weights) {
      rest -= Double(weight)
      if rest < 0 { return candidate.token }
    }
    return candidates[candidates.count - 1].token
  }

  private func typical(_ candidates: [(token: Int, probability: Float)]) -> [(token: Int, probability: Float)] {
    func information(_ probability: Float) -> Float { -log(max(probability, 1e-30)) }
    let entropy = candidates.reduce(0) { $0 + $1.probability * information($1.probability) }
    let ordered = candidates.sorted {
      abs(information($0.probability) - entropy) < abs(information($1.probability) - entropy)
    }
    var sum: Float = 0
    var kept: [(token: Int, probability: Float)] = []
    for candidate in ordered {
      kept.append(candidate)
      sum += candidate.probability
      if sum >= options.typicalP { break }
    }
    return kept
  }
}
