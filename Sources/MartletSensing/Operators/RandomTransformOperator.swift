import MartletTensor

/// Some coefficients of an orthonormal transform of a plane whose pixels have random signs. The coefficients are chosen at random.
public struct RandomTransformOperator: LinearOperator {
  /// The transforms.
  public enum Transform: String, Sendable, CaseIterable {
    /// The two-dimensional cosine transform.
    case cosine
    /// The Walsh-Hadamard transform of all pixels in a row, filled with zeros to a power of two.
    case hadamard
    /// The real and imaginary parts of the two-dimensional Fourier transform.
    case fourier
  }

  /// The values of a plane.
  public var signalCount: Int { signs.count }
  /// The coefficients that are measured.
  public var measurementCount: Int { kept.count }
  /// The transforms are orthonormal, and so is each choice of their rows; what is filled with zeros is orthonormal no longer.
  public var hasOrthonormalRows: Bool { coefficientCount == signalCount }
  private let transform: any PlaneTransform
  private let coefficientCount: Int
  private let signs: [Double]
  private let kept: [Int]

  /// - Parameters:
  ///   - kind: the transform.
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  ///   - measurementCount: the coefficients, at most `height * width`.
  ///   - seed: decides the signs and the choice.
  /// - Throws: ``SensingError`` if there are more measurements than pixels, or a size is not positive.
  public init(_ kind: Transform, height: Int, width: Int, measurementCount: Int, seed: UInt64) throws {
    guard height > 0, width > 0, measurementCount > 0, measurementCount <= height * width else {
      throw SensingError(
        "An image of \(height)x\(width) has \(height * width) pixels; take from 1 to so many measurements, not \(measurementCount)."
      )
    }
    let random = RandomSource(seed: seed), count = height * width
    switch kind {
    case .cosine: (transform, coefficientCount) = (try CosineTransform(height: height, width: width), count)
    case .fourier: (transform, coefficientCount) = (try FourierTransform(height: height, width: width), count)
    case .hadamard:
      let hadamard = HadamardTransform(atLeast: count)
      (transform, coefficientCount) = (hadamard, hadamard.count)
    }
    signs = (0..<count).map { random.stream("signs").bits($0) >> 63 == 0 ? 1 : -1 }
    kept = random.stream("rows").permutation(coefficientCount).prefix(measurementCount).sorted()
  }

  /// Puts the measurements in the place of the signal's coefficients: one transform there and one back.
  public func project(_ signal: inout [Double], onto measurements: [Double], within radius: Double) {
    precondition(
      hasOrthonormalRows && measurements.count == kept.count, "\(measurements.count) of \(kept.count) measurements")
    for index in signal.indices { signal[index] *= signs[index] }
    transform.transform(&signal)
    var squares = 0.0
    for (index, place) in kept.enumerated() {
      let miss = measurements[index] - signal[place]
      squares += miss * miss
    }
    let length = squares.squareRoot()
    if length > radius {
      let factor = 1 - radius / length
      for (index, place) in kept.enumerated() { signal[place] += factor * (measurements[index] - signal[place]) }
    }
    transform.invert(&signal)
    for index in signal.indices { signal[index] *= signs[index] }
  }

  public func forward(_ signal: [Double]) -> [Double] {
    var signed = signal
    for index in signed.indices { signed[index] *= signs[index] }
    transform.transform(&signed)
    return kept.map { signed[$0] }
  }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    var plane = [Double](repeating: 0, count: coefficientCount)
    for (index, place) in kept.enumerated() { plane[place] = measurements[index] }
    transform.invert(&plane)
    if plane.count > signalCount { plane.removeLast(plane.count - signalCount) }
    for index in plane.indices { plane[index] *= signs[index] }
    return plane
  }
}
