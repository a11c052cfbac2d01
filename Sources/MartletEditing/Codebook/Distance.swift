import MartletTensor

extension Array where Element == Float {
  /// Euclidean distance. Precondition: the same count.
  package func distance(to other: [Float]) -> Float {
    precondition(count == other.count, "\(count) and \(other.count) numbers")
    return CPU.squaredDistance(self, other).squareRoot()
  }
}
