/// Reproducible random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64.
///
/// `RandomSource` of MartletTensor, which training uses, counts instead of carrying a state. Both stay, because its draws
/// would give other texts for every seed.
public struct RandomStream: RandomNumberGenerator, Sendable, Codable, Equatable {
  private var state: [UInt64]

  /// - Parameter seed: equal seeds give equal numbers.
  public init(seed: UInt64) {
    var x = seed
    state = (0..<4).map { _ in
      x &+= 0x9e37_79b9_7f4a_7c15
      var z = x
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return z ^ z >> 31
    }
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    func rotated(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
    let result = rotated(state[1] &* 5, 7) &* 9
    let t = state[1] << 17
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = rotated(state[3], 45)
    return result
  }

  /// The next number, uniform in [0, 1).
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
