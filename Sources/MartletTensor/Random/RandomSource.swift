/// A counter-based random number generator (Philox 4x32-10; Salmon et al., 2011): number i of a stream is a function of
/// the seed, the stream and i alone, so threads may compute any part of a stream in any order.
public struct RandomSource: Sendable, Codable, Equatable {
  /// The seed, from which all streams are derived.
  public let seed: UInt64
  /// The number of the stream.
  public let stream: UInt64

  /// A stream of a seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
  }

  /// An independent stream derived from a number.
  public func stream(_ number: Int) -> RandomSource {
    let block = RandomSource.philox(
      (UInt64(bitPattern: Int64(number)), stream), key: seed &+ 0x9e37_79b9_7f4a_7c15)
    return RandomSource(seed: seed, stream: block.0)
  }

  /// An independent stream derived from a name (FNV-1a).
  public func stream(_ name: String) -> RandomSource {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return stream(Int(bitPattern: UInt(hash)))
  }

  /// Number `index` of the stream, as 64 random bits.
  public func bits(_ index: Int) -> UInt64 {
    let block = RandomSource.philox((UInt64(index) >> 1, stream), key: seed)
    return index & 1 == 0 ? block.0 : block.1
  }

  /// Number `index` of the stream, uniform in [0, 1).
  public func uniform(_ index: Int) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

  /// Number `index` of the stream, as a uniform integer in `0..<bound`. The bias is negligible for bounds below 2^32.
  public func integer(_ index: Int, below bound: Int) -> Int {
    Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A random permutation of `0..<count` (Fisher and Yates). O(count).
  public func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, integer(last, below: last + 1)) }
    return order
  }

  private static func philox(_ counter: (UInt64, UInt64), key: UInt64) -> (UInt64, UInt64) {
    var (c0, c1) = (UInt32(truncatingIfNeeded: counter.0), UInt32(truncatingIfNeeded: counter.0 >> 32))
    var (c2, c3) = (UInt32(truncatingIfNeeded: counter.1), UInt32(truncatingIfNeeded: counter.1 >> 32))
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    for _ in 0..<10 {
      let a = c0.multipliedFullWidth(by: 0xd251_1f53), b = c2.multipliedFullWidth(by: 0xcd9e_8d57)
      (c0, c1, c2, c3) = (b.high ^ c1 ^ k0, b.low, a.high ^ c3 ^ k1, a.low)
      k0 &+= 0x9e37_79b9
      k1 &+= 0xbb67_ae85
    }
    return (UInt64(c1) << 32 | UInt64(c0), UInt64(c3) << 32 | UInt64(c2))
  }
}
