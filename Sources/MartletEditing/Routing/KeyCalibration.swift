import Foundation
import MartletEngine
import MartletModels
import MartletTensor

/// How keys of one layer are compared: every element is standardised by its mean and deviation over unrelated
/// questions, and the radius is the distance at which unrelated questions begin.
public struct KeyCalibration: Sendable, Codable, Equatable {
  /// The mean and the standard deviation of every element, `[inputs]`.
  public var mean, deviation: [Float]
  /// The distance below which keys count as the same question (Euclidean distance between directions of length 1).
  public var radius: Float

  /// Whether its numbers can be calculated with: it may come from a file.
  var isSound: Bool {
    !mean.isEmpty && mean.count == deviation.count && mean.allSatisfy(\.isFinite)
      && deviation.allSatisfy { $0.isFinite && $0 > 0 } && radius.isFinite && radius >= 0
  }

  /// The direction of a key, `[inputs]`, of length 1.
  public func direction(_ key: [Float]) -> [Float] {
    let scaled = key.indices.map { (key[$0] - mean[$0]) / deviation[$0] }
    let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 && length.isFinite ? scaled.map { $0 / length } : scaled
  }

  /// Distance of directions of length 1 whose inner product is `cosine`.
  static func distance(cosine: Float) -> Float { max(0, 2 - 2 * cosine).squareRoot() }

  /// Share of pairs of unrelated questions that lie within the radius. The subject gate keeps them out anyhow; a larger
  /// share lets other questions about an edit's subject fire, a smaller one loses paraphrases.
  static let unrelatedShare = 0.005

  /// - Parameter keys: of at least 8 questions that have nothing to do with each other.
  init(keys: [[Float]], share: Double = unrelatedShare) {
    let count = Float(keys.count), width = keys[0].count
    var mean = [Float](repeating: 0, count: width), square = mean
    for key in keys { for i in 0..<width { mean[i] += key[i] / count } }
    for key in keys { for i in 0..<width { square[i] += (key[i] - mean[i]) * (key[i] - mean[i]) / count } }
    // A number that hardly moves among few questions says nothing; it must not outweigh the others.
    let floor = (square.reduce(0, +) / Float(width)).squareRoot() * 0.1 + 1e-6
    self.mean = mean
    deviation = square.map { max($0.squareRoot(), floor) }
    radius = 0
    let directions = keys.map(direction)
    var distances: [Float] = []
    for i in directions.indices {
      for j in 0..<i {
        distances.append(Self.distance(cosine: zip(directions[i], directions[j]).reduce(0) { $0 + $1.0 * $1.1 }))
      }
    }
    distances.sort()
    radius = distances[min(distances.count - 1, Int(share * Double(distances.count)))]
  }
}
