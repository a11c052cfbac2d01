import MartletTensor

/// The tokens that can be drawn, the likeliest first, of equal ones the lower number first. Tokens are put into bins of nearly equal logits, and
/// a bin is sorted when it is reached, so the first n of them cost O(vocabulary + n log n).
struct RankedCandidates: Sequence, IteratorProtocol {
  typealias Candidate = (token: Int, probability: Float)
  /// How far below the greatest logit tokens may lie that are put into bins together, in units of the temperature. Most draws end in
  /// the first part; below the second a probability is 0 in single precision.
  private static let parts: [Float] = [6, 88]
  private static let bins = 256

  /// The sum of the probabilities, 1 but for rounding.
  let total: Double
  private let logits, probabilities: [Float]
  private let greatest, temperature: Float
  /// The tokens of a part bin by bin, and where each bin ends.
  private var keys: [UInt64] = []
  private var ends: [Int] = []
  private var part = 0, bin = 0, place = 0, sortedEnd = 0

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
    while place == sortedEnd { guard sortMore() else { return nil } }
    defer { place += 1 }
    let token = Int(keys[place] & 0xffff_ffff)
    return (token, probabilities[token])
  }

  /// Sorts the next bin, of the next part where none is left.
  /// - Returns: whether there was one.
  private mutating func sortMore() -> Bool {
    if bin == ends.count {
      guard part < Self.parts.count else { return false }
      takePart(from: part == 0 ? 0 : Self.parts[part - 1], to: Self.parts[part])
      part += 1
      (bin, place, sortedEnd) = (0, 0, 0)
      return true
    }
    sortedEnd = ends[bin]
    keys[place..<sortedEnd].sort()
    bin += 1
    return true
  }

  /// The logit so far below the greatest; a token that may not be drawn lies below all of them.
  private func edge(_ depth: Float) -> Float { Swift.max(greatest - depth * temperature, -.greatestFiniteMagnitude) }

  /// Rises as the logit falls, and for equal logits with the token.
  private static func key(_ logit: Float, _ token: Int) -> UInt64 {
    let bits = (logit + 0).bitPattern  // minus zero becomes zero
    let rising = bits >> 31 == 1 ? ~bits : bits | 1 << 31
    return UInt64(~rising) << 32 | UInt64(token)
  }

  /// Puts the tokens so far below the greatest logit into bins, sixteen at a time as far as none is among them.
  private mutating func takePart(from begin: Float, to end: Float) {
    let lowest = edge(end), highest = part == 0 ? Float.infinity : edge(begin)
    var unordered: [UInt64] = [], binOf: [UInt8] = []
    var counts = [Int](repeating: 0, count: Self.bins)
    logits.withUnsafeBufferPointer { logits in
      let (low, high) = (SIMD16<Float>(repeating: lowest), SIMD16<Float>(repeating: highest))
      func take(_ range: Range<Int>) {
        for token in range where logits[token] >= lowest && logits[token] < highest {
          let depth = ((greatest - logits[token]) / temperature - begin) / (end - begin) * Float(Self.bins)
          let bin = Int(Swift.min(Swift.max(depth, 0), Float(Self.bins - 1)))
          unordered.append(Self.key(logits[token], token))
          binOf.append(UInt8(bin))
          counts[bin] += 1
        }
      }
      let whole = logits.count / 16 * 16
      for start in stride(from: 0, to: whole, by: 16) {
        let values = SIMD16<Float>(logits[start..<start + 16])
        if any((values .>= low) .& (values .< high)) { take(start..<start + 16) }
      }
      take(whole..<logits.count)
    }
    var sum = 0
    ends = counts.map { count in
      sum += count
      return sum
    }
    var next = zip(ends, counts).map { $0 - $1 }
    keys = unordered
    for (key, bin) in zip(unordered, binOf) {
      keys[next[Int(bin)]] = key
      next[Int(bin)] += 1
    }
  }
}
