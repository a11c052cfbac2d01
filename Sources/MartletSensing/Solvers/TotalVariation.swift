import MartletTensor

/// The plane of least total variation (isotropic) that has the measurements, by the primal-dual method of Chambolle and Pock, "A first-order
/// primal-dual algorithm for convex problems with applications to imaging", 2011, with over-relaxation. With orthonormal rows each step
/// ends at the nearest plane within `noise` of the measurements; other operators have a dual variable of their own.
public struct TotalVariation: Reconstruction {
  /// The most steps.
  public var iterations: Int
  /// The length of the noise of the measurements; 0 fits them exactly.
  public var noise: Double
  /// The steps end when the relative change of a step is below this.
  public var tolerance: Double

  /// - Parameters:
  ///   - iterations: the most steps.
  ///   - noise: the Euclidean length of the measurements' noise, 0 for none.
  ///   - tolerance: the relative change of a step below which the steps end.
  public init(iterations: Int = 300, noise: Double = 0, tolerance: Double = 1e-4) {
    (self.iterations, self.noise, self.tolerance) = (iterations, noise, tolerance)
  }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try check(measurements, measured, height, width)
    // The gradient's norm is at most sqrt(8), the operator's is scaled to 1; the steps' product is the inverse of their squares' sum.
    let isProjected = measured.hasOrthonormalRows, norm = isProjected ? 1 : max(measured.normEstimate() * 1.02, 1e-12)
    let primal = 0.05, dual = 1 / (primal * (isProjected ? 8 : 9))
    let target = measurements.map { $0 / norm }, radius = noise / norm
    var plane = measured.adjoint(target.map { $0 / norm }), found = plane, ahead = plane
    var down = [Double](repeating: 0, count: plane.count), right = down
    var fit = [Double](repeating: 0, count: isProjected ? 0 : target.count), nextFit = fit
    for iteration in 0..<max(0, iterations) {
      CPU.variationDescend(plane, down, right, step: primal, height: height, width: width, result: &found)
      if isProjected {
        measured.project(&found, onto: target, within: radius)
      } else {
        let step = measured.adjoint(fit)
        for index in found.indices { found[index] -= primal * step[index] / norm }
      }
      let (change, size) = CPU.variationAdvance(&plane, to: found, ahead: &ahead, relaxation: Self.relaxation)
      CPU.variationAscend(
        &down, &right, ahead, step: dual, relaxation: Self.relaxation, height: height, width: width)
      if !isProjected {
        let seen = measured.forward(ahead)
        for index in fit.indices { nextFit[index] = fit[index] + dual * (seen[index] / norm - target[index]) }
        let length = dot(nextFit, nextFit).squareRoot()
        let factor = length > dual * radius ? 1 - dual * radius / length : 0
        if radius > 0 { for index in nextFit.indices { nextFit[index] *= factor } }
        for index in fit.indices { fit[index] += Self.relaxation * (nextFit[index] - fit[index]) }
      }
      log?(
        ConvergenceStep(
          iteration: iteration + 1, objective: Self.variation(found, height: height, width: width),
          residual: distance(measured.forward(found), measurements)))
      // The first step moves the dual variables alone.
      if iteration > 0, change <= tolerance * tolerance * size { break }
    }
    return found
  }

  /// How far each step goes beyond where it ends, below 2: about half the steps are needed (L. Condat, "A primal-dual splitting method for
  /// convex optimization involving Lipschitzian, proximable and linear composite terms", 2013).
  private static let relaxation = 1.9

  /// The total variation of a plane: the sum of the lengths of its differences to the next row and column.
  static func variation(_ plane: [Double], height: Int, width: Int) -> Double {
    var sum = 0.0
    for row in 0..<height {
      for column in 0..<width {
        let index = row * width + column, value = plane[index]
        let d = row + 1 < height ? plane[index + width] - value : 0
        let r = column + 1 < width ? plane[index + 1] - value : 0
        sum += (d * d + r * r).squareRoot()
      }
    }
    return sum
  }
}
