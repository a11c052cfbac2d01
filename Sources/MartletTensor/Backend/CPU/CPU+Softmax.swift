import CMartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension CPU {
  /// Softmax over the last axis.
  static func softmax(_ x: Tensor) -> Tensor {
    let width = x.shape.last ?? 1, result = Tensor.empty(x.shape)
    let (input, output) = (x.floats, result.mutableFloats)
    Parallel.forEach(x.count / max(1, width), grain: grainElements / max(1, width)) { range in
      let start = range.lowerBound * width
      memcpy(output + start, input + start, range.count * width * 4)
      martlet_softmax(output + start, Int64(range.count), Int64(width))
    }
    return result
  }

  static func softmax(of row: inout [Float]) {
    row.withUnsafeMutableBufferPointer { row in
      guard let values = row.baseAddress else { return }
      martlet_softmax(values, 1, Int64(row.count))
    }
  }

  /// - Parameter y: the softmax.
  static func softmaxGradient(_ y: Tensor, _ gradient: Tensor) -> Tensor {
    let width = y.shape.last ?? 1, result = Tensor.empty(y.shape)
    let (a, g, dx) = (y.floats, gradient.floats, result.mutableFloats)
    Parallel.forEach(y.count / max(1, width), grain: grainElements / max(1, width)) { range in
      let start = range.lowerBound * width
      martlet_softmax_backward(a + start, g + start, dx + start, Int64(range.count), Int64(width))
    }
    return result
  }

  static func logSumExp(_ row: Tensor.Elements) -> Float {
    guard let values = row.baseAddress, !row.isEmpty else { return -.infinity }
    var sum: Float = 0
    martlet_log_sum_exp(values, &sum, 1, Int64(row.count))
    return sum
  }

  /// The log-sum-exp and the place of the largest value of each row.
  static func predictions(_ x: Tensor) -> (logSumExps: [Float], argmax: [Int]) {
    let rows = x.rows, classes = x.columns, input = x.floats
    let sums = Tensor.empty([rows])
    let output = sums.mutableFloats
    var best = [Int](repeating: 0, count: rows)
    best.withUnsafeMutableBufferPointer { best in
      nonisolated(unsafe) let best = best  // every row is one chunk's own
      Parallel.forEach(rows, grain: max(1, grainElements / max(1, classes))) { range in
        for row in range {
          martlet_log_sum_exp(input + row * classes, output + row, 1, Int64(classes))
          best[row] = Int(martlet_argmax(input + row * classes, Int64(classes)))
        }
      }
    }
    return withExtendedLifetime(x) { (sums.values, best) }
  }

  /// Targets of a cross entropy and how much each row counts.
  struct CrossEntropy: Sendable {
    let targets: [Int]
    let weights: [Double]
    /// What the weighted sum is divided by.
    let total: Double
    let labelSmoothing, logitPenalty: Double

    /// The loss in double precision, and each row's log-sum-exp.
    func value(_ x: Tensor) -> (value: Double, sums: [Float]) {
      let rows = x.rows, classes = x.columns, input = x.floats
      let sums = Tensor.empty([rows])
      let output = sums.mutableFloats
      Parallel.forEach(rows, grain: max(1, grainElements / classes)) { range in
        martlet_log_sum_exp(
          input + range.lowerBound * classes, output + range.lowerBound, Int64(range.count), Int64(classes))
      }
      var value = 0.0
      for row in 0..<rows where weights[row] != 0 {
        let hit = Double(output[row]) - Double(input[row * classes + targets[row]])
        var loss = hit
        if labelSmoothing > 0 {
          let mean = (0..<classes).reduce(0.0) { $0 + Double(input[row * classes + $1]) } / Double(classes)
          loss = hit * (1 - labelSmoothing) + (Double(output[row]) - mean) * labelSmoothing
        }
        value += loss * weights[row]
      }
      return (value / total, sums.values)
    }

    /// The gradient with respect to the logits `x`, times `upstream`.
    func gradient(_ x: Tensor, upstream: Double) -> Tensor {
      let rows = x.rows, classes = x.columns, sums = value(x).sums
      let result = Tensor.empty(x.shape)
      let (input, output) = (x.floats, result.mutableFloats)
      let targets = targets.map { Int64($0) }
      Parallel.forEach(rows, grain: max(1, grainElements / classes)) { range in
        for row in range {
          let factor = Float(upstream * weights[row] / total)
          withUnsafePointer(to: factor) { factor in
            martlet_cross_entropy_backward(
              input + row * classes, [sums[row]], [targets[row]], factor, output + row * classes, 1, Int64(classes))
          }
          if labelSmoothing > 0, factor != 0 {
            output[row * classes + Int(targets[row])] += factor * Float(labelSmoothing)
            let spread = factor * Float(labelSmoothing) / Float(classes)
            for i in 0..<classes { output[row * classes + i] -= spread }
          }
          if logitPenalty > 0, weights[row] > 0 {
            let top = Int(martlet_argmax(input + row * classes, Int64(classes)))
            output[row * classes + top] +=
              input[row * classes + top] * Float(upstream * logitPenalty * weights[row] / total)
          }
        }
      }
      return result
    }
  }
}
