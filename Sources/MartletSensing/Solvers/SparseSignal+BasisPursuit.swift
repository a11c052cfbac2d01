extension SparseSignal {
  /// The signal of least `||x||_1` with `||A x - y|| <= noise`: basis pursuit without noise, and basis pursuit denoising with it (Chen, Donoho and
  /// Saunders, "Atomic decomposition by basis pursuit", 1998). The steps are those of Douglas and Rachford, with the exact projection on the
  /// signals that fit; behind the last one, the values that are not zero are solved for exactly, and taken if they meet the conditions.
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A: orthonormal rows, or at most 1,024 measurements.
  ///   - noise: the Euclidean length of the measurements' noise.
  ///   - iterations: the most steps.
  ///   - tolerance: the change of a step, relative to the signal, below which the steps end.
  ///   - log: takes the state behind each step.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or too many of them.
  public static func basisPursuit(
    _ measurements: [Double], of measured: any LinearOperator, noise: Double = 0, iterations: Int = 5_000,
    tolerance: Double = 1e-9, log: ConvergenceLog? = nil
  ) throws -> [Double] {
    let feasible = try FeasibleSet(measurements, of: measured, noise: noise)
    var state = feasible.projection(of: [Double](repeating: 0, count: measured.signalCount))
    guard state.contains(where: { $0 != 0 }) else { return state }
    // Of the order of the smaller values that are looked for.
    let threshold = state.reduce(0) { max($0, abs($1)) } * 0.1
    var sparse = state
    for iteration in 0..<max(0, iterations) {
      let fitting = iteration == 0 ? state : feasible.projection(of: state)
      var change = 0.0, size = 0.0
      for index in state.indices {
        let value = shrunk(2 * fitting[index] - state[index], by: threshold)
        let difference = value - fitting[index]
        state[index] += difference
        sparse[index] = value
        change += difference * difference
        size += fitting[index] * fitting[index]
      }
      log?(
        ConvergenceStep(
          iteration: iteration + 1, objective: absoluteSum(fitting),
          residual: distance(measured.forward(fitting), measurements)))
      if change <= tolerance * tolerance * size { break }
    }
    let fitting = feasible.projection(of: state)
    return polished(sparse, measurements, measured, noise: noise, within: fitting) ?? fitting
  }

  /// The solution with the signs of a signal near it; nil if the signs are not those of the solution.
  ///
  /// With the columns S of the values that are not zero and their signs s, the solution is `z - t inverse(S'S) s`, where z has the least error and
  /// the error's square is that of z and `t^2 s' inverse(S'S) s`, which gives t.
  private static func polished(
    _ sparse: [Double], _ measurements: [Double], _ measured: any LinearOperator, noise: Double,
    within fitting: [Double]
  ) -> [Double]? {
    let largest = sparse.reduce(0) { max($0, abs($1)) }
    let places = sparse.indices.filter { abs(sparse[$0]) > 1e-7 * largest }
    guard (1...measurements.count).contains(places.count), measurements.count <= FeasibleSet.mostMeasurements else {
      return nil
    }
    let columns = places.map { place in
      var unit = [Double](repeating: 0, count: sparse.count)
      unit[place] = 1
      return measured.forward(unit)
    }
    let count = places.count
    var gram = [Double](repeating: 0, count: count * count)
    for row in 0..<count { for column in 0...row { gram[row * count + column] = dot(columns[row], columns[column]) } }
    guard let factor = Cholesky(gram, size: count) else { return nil }
    var values = factor.solve(columns.map { dot($0, measurements) })
    func error() -> [Double] {
      var rest = measurements
      for (column, value) in zip(columns, values) {
        for index in rest.indices { rest[index] -= value * column[index] }
      }
      return rest
    }
    // A second pass takes back what the squared condition lost.
    for (index, value) in factor.solve(columns.map { dot($0, error()) }).enumerated() { values[index] += value }
    let rest = error(), square = dot(rest, rest)
    let signs = places.map { sparse[$0] > 0 ? 1.0 : -1 }
    if noise > 0 {
      guard square < noise * noise else { return nil }
      let turned = factor.solve(signs), weight = ((noise * noise - square) / dot(signs, turned)).squareRoot()
      for index in values.indices { values[index] -= weight * turned[index] }
      // The lasso's condition for the zeros, where the weight is t.
      let correlations = measured.adjoint(error())
      guard correlations.allSatisfy({ abs($0) <= weight * (1 + 1e-6) }) else { return nil }
    } else {
      guard square.squareRoot() <= 1e-9 * dot(measurements, measurements).squareRoot(),
        absoluteSum(values) <= absoluteSum(fitting) * (1 + 1e-6)
      else { return nil }
    }
    guard zip(values, signs).allSatisfy({ $0 * $1 > 0 }) else { return nil }
    var signal = [Double](repeating: 0, count: sparse.count)
    for (place, value) in zip(places, values) { signal[place] = value }
    return signal
  }
}
