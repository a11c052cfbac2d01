/// Signals of which few values are not zero, from linear measurements.
public enum SparseSignal {
  /// The minimiser of `||A x - y||^2 / 2 + weight * ||x||_1`, by FISTA with restarts (Beck and Teboulle, "A fast iterative
  /// shrinkage-thresholding algorithm", 2009; O'Donoghue and Candès, "Adaptive restart for accelerated gradient schemes", 2015) or by ISTA, the
  /// same without momentum (Daubechies, Defrise and De Mol, 2004).
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A.
  ///   - weight: the weight of the sum of absolute values, 0 or more.
  ///   - start: where the steps begin; nil for 0.
  ///   - isAccelerated: whether steps have momentum (FISTA).
  ///   - iterations: the most steps.
  ///   - tolerance: the relative change of a step below which the steps end.
  ///   - norm: a bound of A's largest singular value; nil for an estimate.
  ///   - log: takes the state behind each step.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or the weight is negative.
  public static func lasso(
    _ measurements: [Double], of measured: any LinearOperator, weight: Double, from start: [Double]? = nil,
    isAccelerated: Bool = true, iterations: Int = 1_000, tolerance: Double = 1e-10, norm: Double? = nil,
    log: ConvergenceLog? = nil
  ) throws -> [Double] {
    guard measurements.count == measured.measurementCount, weight >= 0, measurements.allSatisfy(\.isFinite),
      start.map({ $0.count == measured.signalCount }) ?? true
    else {
      throw SensingError(
        "The lasso needs \(measured.measurementCount) finite measurements and a weight of 0 or more; it got \(measurements.count) and \(weight)."
      )
    }
    let norm = norm ?? stepNorm(measured)
    guard norm > 0 else { return [Double](repeating: 0, count: measured.signalCount) }
    let step = 1 / (norm * norm)
    var signal = start ?? [Double](repeating: 0, count: measured.signalCount), ahead = signal, momentum = 1.0
    for iteration in 0..<max(0, iterations) {
      var miss = measured.forward(ahead)
      for index in miss.indices { miss[index] -= measurements[index] }
      let gradient = measured.adjoint(miss)
      var next = ahead, change = 0.0, size = 0.0, turn = 0.0
      for index in next.indices {
        next[index] = shrunk(ahead[index] - step * gradient[index], by: step * weight)
        let difference = next[index] - signal[index]
        change += difference * difference
        size += next[index] * next[index]
        turn += (ahead[index] - next[index]) * difference
      }
      // A step that points back begins without momentum.
      if turn > 0 { momentum = 1 }
      let following = isAccelerated ? (1 + (1 + 4 * momentum * momentum).squareRoot()) / 2 : 1
      for index in next.indices {
        ahead[index] = next[index] + (momentum - 1) / following * (next[index] - signal[index])
      }
      (signal, momentum) = (next, following)
      if let log {
        let residual = distance(measured.forward(signal), measurements)
        log(
          ConvergenceStep(
            iteration: iteration + 1, objective: residual * residual / 2 + weight * absoluteSum(signal),
            residual: residual))
      }
      if change <= tolerance * tolerance * size { break }
    }
    return signal
  }

  /// The solution of the lasso whose error is as long as the noise: the weight is the largest that fits the measurements so well (Morozov's
  /// discrepancy principle), found by halving its logarithm.
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A.
  ///   - noise: the Euclidean length of the measurements' noise, above 0.
  ///   - isAccelerated: whether steps have momentum (FISTA).
  ///   - iterations: the most steps for each weight.
  ///   - tolerance: the relative change of a step below which the steps end.
  ///   - log: takes the state behind each step of the last weight.
  /// - Returns: the signal and the weight.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes.
  public static func lasso(
    _ measurements: [Double], of measured: any LinearOperator, noise: Double, isAccelerated: Bool = true,
    iterations: Int = 1_000, tolerance: Double = 1e-10, log: ConvergenceLog? = nil
  ) throws -> (signal: [Double], weight: Double) {
    let norm = stepNorm(measured), most = largestWeight(measurements, of: measured)
    var signal = [Double](repeating: 0, count: measured.signalCount)
    // With the largest weight the signal is 0 and the error is all of the measurements.
    guard dot(measurements, measurements).squareRoot() > noise, most > 0 else { return (signal, most) }
    func solve(_ weight: Double, _ log: ConvergenceLog?) throws -> [Double] {
      try lasso(
        measurements, of: measured, weight: weight, from: signal, isAccelerated: isAccelerated, iterations: iterations,
        tolerance: tolerance, norm: norm, log: log)
    }
    var (low, high) = (most * 1e-6, most)
    var weight = most
    for _ in 0..<20 {
      weight = (low * high).squareRoot()
      signal = try solve(weight, nil)
      let residual = distance(measured.forward(signal), measurements)
      if abs(residual - noise) <= 0.01 * noise { break }
      if residual > noise { high = weight } else { low = weight }
    }
    return (try solve(weight, log), weight)
  }

  /// A signal with at most `count` values that are not zero, chosen one by one where the remaining error correlates most (orthogonal matching
  /// pursuit; Pati, Rezaiifar and Krishnaprasad, 1993).
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A.
  ///   - count: the most values.
  ///   - noise: the search ends when the error's length is at most this.
  ///   - log: takes the number of values and the error behind each choice.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or more values than measurements are asked for.
  public static func matchingPursuit(
    _ measurements: [Double], of measured: any LinearOperator, count: Int, noise: Double = 0, log: ConvergenceLog? = nil
  ) throws -> [Double] {
    guard measurements.count == measured.measurementCount, measurements.allSatisfy(\.isFinite),
      (0...measurements.count).contains(count)
    else {
      throw SensingError(
        "Matching pursuit needs \(measured.measurementCount) finite measurements and looks for at most so many values; it got \(measurements.count) and \(count)."
      )
    }
    // An orthonormal basis of the chosen columns, and each column in it.
    var chosen: [Int] = [], basis: [[Double]] = [], triangle: [[Double]] = [], shares: [Double] = []
    var isChosen = [Bool](repeating: false, count: measured.signalCount)
    var rest = measurements
    while chosen.count < count, dot(rest, rest).squareRoot() > noise {
      let correlations = measured.adjoint(rest)
      guard
        let best = correlations.indices.filter({ !isChosen[$0] }).max(by: {
          abs(correlations[$0]) < abs(correlations[$1])
        })
      else { break }
      var unit = [Double](repeating: 0, count: measured.signalCount)
      unit[best] = 1
      var column = measured.forward(unit), row = [Double](repeating: 0, count: basis.count)
      let before = dot(column, column).squareRoot()
      // Twice, as one pass loses digits where columns are nearly parallel.
      for _ in 0..<2 {
        for (index, vector) in basis.enumerated() {
          let share = dot(vector, column)
          row[index] += share
          for place in column.indices { column[place] -= share * vector[place] }
        }
      }
      let length = dot(column, column).squareRoot()
      guard length > 1e-12 * before else { break }
      for place in column.indices { column[place] /= length }
      let share = dot(column, rest)
      for place in rest.indices { rest[place] -= share * column[place] }
      chosen.append(best)
      isChosen[best] = true
      basis.append(column)
      triangle.append(row + [length])
      shares.append(share)
      log?(
        ConvergenceStep(
          iteration: chosen.count, objective: Double(chosen.count), residual: dot(rest, rest).squareRoot()))
    }
    var signal = [Double](repeating: 0, count: measured.signalCount)
    for index in chosen.indices.reversed() {
      var value = shares[index]
      for later in chosen.indices where later > index { value -= triangle[later][index] * signal[chosen[later]] }
      signal[chosen[index]] = value / triangle[index][index]
    }
    return signal
  }

  /// The least weight with which the lasso gives 0: the largest correlation of a column with the measurements.
  /// - Parameters:
  ///   - measurements: y, as many as the operator takes.
  ///   - measured: A.
  public static func largestWeight(_ measurements: [Double], of measured: any LinearOperator) -> Double {
    measured.adjoint(measurements).reduce(0) { max($0, abs($1)) }
  }

  /// A bound of the largest singular value, with some room as the estimate comes from below.
  static func stepNorm(_ measured: any LinearOperator) -> Double {
    measured.hasOrthonormalRows ? 1 : measured.normEstimate(iterations: 100) * 1.01
  }
}

/// The minimiser of `(x - value)^2 / 2 + threshold * |x|`.
@inline(__always) func shrunk(_ value: Double, by threshold: Double) -> Double {
  value > threshold ? value - threshold : value < -threshold ? value + threshold : 0
}

/// The sum of absolute values.
func absoluteSum(_ values: [Double]) -> Double { values.reduce(0) { $0 + abs($1) } }

/// The Euclidean length of the difference of two arrays of one length.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices {
    let difference = a[index] - b[index]
    sum += difference * difference
  }
  return sum.squareRoot()
}
