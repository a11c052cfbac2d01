import MartletTensor

/// The tokens that can be drawn, the likeliest first, of equal ones the lower number first. They are ranked a band of logits at a time when the
/// band is reached, so the first n of them cost O(vocabulary + n log n).
struct RankedCandidates: Sequence, IteratorProtocol {
  typealias Candidate = (token: Int, probability: Float)
  /// How far below the greatest logit tokens may lie that are picked out of the row together, in units of the temperature. Most draws end in
  /// the first part; below the second a probability is 0 in single precision.
  private static let parts: [Float] = [6, 88]
  /// How much of a part is ranked at a time, in units of the temperature.
  private static let band: Float = 0.5

  /// The sum of the probabilities, 1 but for rounding.
  let total: Double
  private let logits, probabilities: [Float]
  private let greatest, temperature: Float
  /// Tokens of the parts that were picked out, ranked up to `rankedEnd`.
  private var tokens: [Int32] = []
  private var rankedEnd = 0, place = 0, part = 0
  /// How far below the greatest logit everything is ranked, in units of the temperature.
  private var depth: Float = 0

  /// - Parameters:
  ///   - logits: the logits; a token that may not be drawn has minus infinity.
  ///   - greatest: the greatest of them, which is finite.
  ///   - temperature: the divisor of the logits, above 0.
  init(_ logits: [Float], greatest: Float, temperature: Float) {
    let scale = 1 / temperature
    var scaled = [Float](unsafeUninitializedCapacity: logits.count) { values, count in
      logits.withUnsafeBufferPointer { logits in
        for index in logits.indices { values[index] = (logits[index] - greatest) * scale }
      }
      count = logits.count
    }
    Tensor.softmax(of: &scaled)
    total = scaled.withUnsafeBufferPointer { values in
      var sums = SIMD8<Double>.zero
      let whole = values.count / 8 * 8
      for start in stride(from: 0, to: whole, by: 8) { sums += SIMD8<Double>(SIMD8<Float>(values[start..<start + 8])) }
      return values[whole...].reduce(sums.sum()) { $0 + Double($1) }
    }
    (self.logits, probabilities, self.greatest, self.temperature) = (logits, scaled, greatest, temperature)
  }

  mutating func next() -> Candidate? {
    while place == rankedEnd { guard rankMore() else { return nil } }
    defer { place += 1 }
    let token = Int(tokens[place])
    return (token, probabilities[token])
  }

  /// The logit so far below the greatest; a token that may not be drawn lies below all of them.
  private func edge(_ depth: Float) -> Float { Swift.max(greatest - depth * temperature, -.greatestFiniteMagnitude) }

  /// Ranks the next band.
  /// - Returns: whether there was one.
  private mutating func rankMore() -> Bool {
    if rankedEnd == tokens.count {
      guard part < Self.parts.count else { return false }
      pickOut(from: edge(Self.parts[part]), below: part == 0 ? .infinity : edge(Self.parts[part - 1]))
      depth = part == 0 ? 0 : Self.parts[part - 1]
      part += 1
      return true
    }
    depth += Self.band
    let edge = edge(depth), isLast = depth >= Self.parts[part - 1]
    let end = isLast ? tokens.count : tokens[rankedEnd...].partition { logits[Int($0)] < edge }
    tokens[rankedEnd..<end].sort { (logits[Int($0)], $1) > (logits[Int($1)], $0) }
    rankedEnd = end
    return true
  }

  /// Takes the tokens whose logits lie in a range, sixteen at a time as far as none does.
  private mutating func pickOut(from lowest: Float, below highest: Float) {
    logits.withUnsafeBufferPointer { logits in
      let (low, high) = (SIMD16<Float>(repeating: lowest), SIMD16<Float>(repeating: highest))
      func take(_ range: Range<Int>) {
        for token in range where logits[token] >= lowest && logits[token] < highest { tokens.append(Int32(token)) }
      }
      let whole = logits.count / 16 * 16
      for start in stride(from: 0, to: whole, by: 16) {
        let values = SIMD16<Float>(logits[start..<start + 16])
        if any((values .>= low) .& (values .< high)) { take(start..<start + 16) }
      }
      take(whole..<logits.count)
    }
  }
}
