import Foundation
import MartletTensor

/// Cosines and sines of positions times frequencies, worked out in double precision once a position, times a factor.
final class RotaryTable: @unchecked Sendable {
  private let frequencies: [Double]
  private let magnitude: Double
  private let lock = NSLock()
  private var cosines: [Float] = []
  private var sines: [Float] = []

  init(frequencies: [Double], magnitude: Double) {
    self.frequencies = frequencies
    self.magnitude = magnitude
  }

  /// Two tensors `[positions, pairs]`.
  func angles(_ positions: [Int]) -> (cosine: Tensor, sine: Tensor) {
    let pairs = frequencies.count
    lock.lock()
    defer { lock.unlock() }
    let known = cosines.count / pairs, needed = (positions.max() ?? 0) + 1
    if known < needed {
      for position in known..<needed {
        for frequency in frequencies {
          cosines.append(Float(magnitude * cos(Double(position) * frequency)))
          sines.append(Float(magnitude * sin(Double(position) * frequency)))
        }
      }
    }
    func rows(_ table: [Float]) -> Tensor {
      Tensor(positions.flatMap { table[$0 * pairs..<($0 + 1) * pairs] }, shape: [positions.count, pairs])
    }
    return (rows(cosines), rows(sines))
  }
}
