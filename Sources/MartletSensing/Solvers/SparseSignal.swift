/// Signals of which few values are not zero, from linear measurements.
public enum SparseSignal {
  /// The minimiser of `||A x - y||^2 / 2 + weight * ||x||_1`, by FISTA with restarts (Beck and Teboulle, "A fast iterative
  /// shrinkage-thresholding algorithm", 2009; O'Donoghue and Candès, "Adaptive restart for accelerated gradient schemes", 2015).
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A.
  ///   - weight: the weight of the sum of absolute values, 0 or more.
  ///   - iterations: the most steps.
  ///   - tolerance: the relative change of a step below which the steps end.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or the weight is negative.
  public static func lasso(
    _ measurements: [Double], of measured: any LinearOperator, weight: Double, iterations: Int = 1_000,
    tolerance: Double = 1e-10
  ) throws -> [Double] {
    guard measurements.count == measured.measurementCount, weight >= 0, measurements.allSatisfy(\.isFinite) else {
      throw SensingError(
        "The lasso needs \(measured.measurementCount) finite measurements and a weight of 0 or more; it got \(measurements.count) and \(weight)."
      )
    }
    let norm = measured.normEstimate(iterations: 100) * 1.01
    guard norm > 0 else { return [Double](repeating: 0, count: measured.signalCount) }
    let step = 1 / (norm * norm)
    var signal = [Double](repeating: 0, count: measured.signalCount), ahead = signal, momentum = 1.0
    for _ in 0..<iterations {
      var miss = measured.forward(ahead)
      for index in miss.indices { miss[index] -= measurements[index] }
      let gradient = measured.adjoint(miss)
      var next = ahead, change = 0.0, size = 0.0, turn = 0.0
      for index in next.indices {
        let value = ahead[index] - step * gradient[index]
        next[index] = value > step * weight ? value - step * weight : value < -step * weight ? value + step * weight : 0
        let difference = next[index] - signal[index]
        change += difference * difference
        size += next[index] * next[index]
        turn += (ahead[index] - next[index]) * difference
      }
      // A step that points back begins without momentum.
      if turn > 0 { momentum = 1 }
      let following = (1 + (1 + 4 * momentum * momentum).squareRoot()) / 2
      for index in next.indices {
        ahead[index] = next[index] + (momentum - 1) / following * (next[index] - signal[index])
      }
      (signal, momentum) = (next, following)
      if change <= tolerance * tolerance * size { break }
    }
    return signal
  }

  /// A signal with at most `count` values that are not zero, chosen one by one where the remaining error correlates most (orthogonal matching
  /// pursuit; Pati, Rezaiifar and Krishnaprasad, 1993).
  /// - Parameters:
  ///   - measurements: y.
  ///   - measured: A.
  ///   - count: the most values.
  ///   - noise: the search ends when the error's length is at most this.
  /// - Throws: ``SensingError`` if there are not as many measurements as the operator takes, or more values than measurements are asked for.
  public static func matchingPursuit(
    _ measurements: [Double], of measured: any LinearOperator, count: Int, noise: Double = 0
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
    var rest = measurements
    while chosen.count < count, dot(rest, rest).squareRoot() > noise {
      let correlations = measured.adjoint(rest)
      let taken = Set(chosen)
      guard
        let best = correlations.indices.filter({ !taken.contains($0) }).max(by: {
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
      basis.append(column)
      triangle.append(row + [length])
      shares.append(share)
    }
    var signal = [Double](repeating: 0, count: measured.signalCount)
    for index in chosen.indices.reversed() {
      var value = shares[index]
      for later in chosen.indices where later > index { value -= triangle[later][index] * signal[chosen[later]] }
      signal[chosen[index]] = value / triangle[index][index]
    }
    return signal
  }
}
