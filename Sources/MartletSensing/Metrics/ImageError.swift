import Foundation

/// How far a recovered plane is from the original; both have values in 0...1.
public struct ImageError: Sendable, Equatable {
  /// The mean of the squared differences.
  public let meanSquaredError: Double
  /// The Euclidean length of the difference of pixels in -1...1, as the released code of deep compressed sensing reports it.
  public let euclideanLength: Double
  /// The peak signal-to-noise ratio in decibels, for a range of 1; infinite for equal planes.
  public var peakSignalToNoise: Double { meanSquaredError == 0 ? .infinity : -10 * log10(meanSquaredError) }

  /// - Throws: ``SensingError`` if the planes are empty or differ in size.
  public init(_ recovered: [Double], _ original: [Double]) throws {
    guard recovered.count == original.count, !original.isEmpty else {
      throw SensingError("A plane of \(recovered.count) pixels cannot be compared with one of \(original.count).")
    }
    var sum = 0.0
    for index in original.indices {
      let difference = recovered[index] - original[index]
      sum += difference * difference
    }
    meanSquaredError = sum / Double(original.count)
    euclideanLength = 2 * sum.squareRoot()
  }
}
