import MartletTensor
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The cosines and sines of positions times frequencies, computed once for each position in double precision, for
/// `rotary(_:cosine:sine:heads:interleaved:)`.
public final class RotaryTable: Sendable {
  private struct Angles {
    var cosines: [Float] = []
    var sines: [Float] = []
  }

  private let frequencies: [Double]
  private let magnitude: Double
  private let known = Mutex(Angles())

  /// - Parameters:
  ///   - frequencies: the angle of each pair per position, in radians.
  ///   - magnitude: the factor by which every cosine and sine is multiplied.
  public init(frequencies: [Double], magnitude: Double = 1) {
    self.frequencies = frequencies
    self.magnitude = magnitude
  }

  /// The cosines and sines of some positions, two tensors `[positions, pairs]`. O(largest position x pairs) the first
  /// time, then O(positions x pairs).
  public func angles(_ positions: [Int]) -> (cosine: Tensor, sine: Tensor) {
    let pairs = frequencies.count
    return known.withLock { known in
      let count = known.cosines.count / pairs, needed = (positions.max() ?? 0) + 1
      if count < needed {
        for position in count..<needed {
          for frequency in frequencies {
            known.cosines.append(Float(magnitude * cos(Double(position) * frequency)))
            known.sines.append(Float(magnitude * sin(Double(position) * frequency)))
          }
        }
      }
      func rows(_ table: [Float]) -> Tensor {
        Tensor(positions.flatMap { table[$0 * pairs..<($0 + 1) * pairs] }, shape: [positions.count, pairs])
      }
      return (rows(known.cosines), rows(known.sines))
    }
  }
}
