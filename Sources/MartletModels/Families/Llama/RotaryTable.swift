import Foundation
import MartletTensor
import Synchronization

/// Cosines and sines of positions times frequencies, worked out in double precision once a position, times a factor.
final class RotaryTable: Sendable {
  private let frequencies: [Double]
  private let magnitude: Double
  private let table = Mutex(Table())

  /// Rows `[positions, pairs]` of the positions so far.
  private struct Table {
    var cosines: [Float] = []
    var sines: [Float] = []
  }

  init(frequencies: [Double], magnitude: Double) {
    self.frequencies = frequencies
    self.magnitude = magnitude
  }

  /// Two tensors `[positions, pairs]`.
  func angles(_ positions: [Int]) -> (cosine: Tensor, sine: Tensor) {
    let pairs = frequencies.count
    return table.withLock { table in
      let known = table.cosines.count / pairs, needed = (positions.max() ?? 0) + 1
      if known < needed {
        for position in known..<needed {
          for frequency in frequencies {
            table.cosines.append(Float(magnitude * cos(Double(position) * frequency)))
            table.sines.append(Float(magnitude * sin(Double(position) * frequency)))
          }
        }
      }
      func rows(_ values: [Float]) -> Tensor {
        Tensor(positions.flatMap { values[$0 * pairs..<($0 + 1) * pairs] }, shape: [positions.count, pairs])
      }
      return (rows(table.cosines), rows(table.sines))
    }
  }
}
