import MartletTensor

/// The signals whose measurements are near enough: `||A x - y|| <= noise`, with the exact projection on them. Orthonormal rows need nothing;
/// for other operators `A transpose(A)` is decomposed once.
struct FeasibleSet: Sendable {
  /// The most measurements of an operator whose rows are not orthonormal.
  static let mostMeasurements = 1_024

  private let measured: any LinearOperator
  private let measurements: [Double]
  private let noise: Double
  /// The eigenvectors `[measurements, measurements]`, one a row, and values of `A transpose(A)`; nil for orthonormal rows.
  private let decomposition: (vectors: [[Double]], values: [Double])?

  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or too many to decompose.
  init(_ measurements: [Double], of measured: any LinearOperator, noise: Double) throws {
    guard measurements.count == measured.measurementCount, measurements.allSatisfy(\.isFinite), noise >= 0,
      noise.isFinite
    else {
      throw SensingError(
        "Basis pursuit needs \(measured.measurementCount) finite measurements and noise of length 0 or more; it got \(measurements.count) and \(noise)."
      )
    }
    (self.measured, self.measurements, self.noise) = (measured, measurements, noise)
    guard !measured.hasOrthonormalRows else {
      decomposition = nil
      return
    }
    let count = measurements.count
    guard count <= Self.mostMeasurements else {
      throw SensingError(
        "Basis pursuit takes up to \(Self.mostMeasurements) measurements by an operator whose rows are not orthonormal, not \(count); use the method fista, which finds the weight that fits the noise."
      )
    }
    var gram = [Double](repeating: 0, count: count * count)
    var unit = [Double](repeating: 0, count: count)
    for row in 0..<count {
      unit[row] = 1
      let column = measured.forward(measured.adjoint(unit))
      unit[row] = 0
      for place in 0..<count { gram[row * count + place] = column[place] }
    }
    let found = SymmetricEigenvectors(gram, size: count)
    decomposition = (found.largest(count), found.eigenvalues)
  }

  /// The nearest signal of the set. Directions that the operator does not measure stay as they are.
  func projection(of signal: [Double]) -> [Double] {
    guard let (vectors, values) = decomposition else {
      var result = signal
      measured.project(&result, onto: measurements, within: noise)
      return result
    }
    var miss = measured.forward(signal)
    for index in miss.indices { miss[index] -= measurements[index] }
    guard dot(miss, miss).squareRoot() > noise else { return signal }
    // The error of the projection is (1 + t A transpose(A))^-1 miss, where t makes it as long as the noise.
    let shares = vectors.map { dot($0, miss) }, floor = (values.first ?? 0) * 1e-13
    let multiplier = noise > 0 ? multiplier(shares, values) : .infinity
    var correction = [Double](repeating: 0, count: miss.count)
    for (index, vector) in vectors.enumerated() where values[index] > floor {
      let factor = shares[index] / (multiplier.isFinite ? 1 / multiplier + values[index] : values[index])
      for place in correction.indices { correction[place] += factor * vector[place] }
    }
    return zip(signal, measured.adjoint(correction)).map { $0 - $1 }
  }

  /// The t of `sum (share / (1 + t value))^2 = noise^2`, by Newton's method on the inverse length, which is nearly linear in t.
  private func multiplier(_ shares: [Double], _ values: [Double]) -> Double {
    var t = 0.0
    for _ in 0..<60 {
      var squares = 0.0, slope = 0.0
      for index in shares.indices {
        let factor = 1 / (1 + t * values[index]), part = shares[index] * factor
        squares += part * part
        slope += part * part * values[index] * factor
      }
      let length = squares.squareRoot()
      // What no signal can fit is left as near as it comes.
      guard slope > 0 else { return .infinity }
      let step = (length / noise - 1) * squares / slope
      t += step
      if abs(step) <= 1e-14 * t { break }
    }
    return t
  }
}
