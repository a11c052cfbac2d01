import MartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Softmax over the last axis.
public func softmax(_ x: Tensor) -> Tensor {
  fused([x], savesOutput: true) { inputs in
    let shifted = exp(inputs[0] - inputs[0].detached().rowMaximum)
    return shifted / shifted.sum(axes: [-1], keepingAxes: true)
  } pullback: { context in
    let (y, gradient) = (context.saved[1].contiguous(), context.gradient.contiguous())
    let width = y.shape.last ?? 1, result = Tensor.empty(y.shape)
    let (a, g, dx) = (y.floats, gradient.floats, result.mutableFloats)
    Parallel.forEach(y.count / max(1, width), grain: grainElements / max(1, width)) { range in
      let start = range.lowerBound * width
      martlet_softmax_backward(a + start, g + start, dx + start, Int64(range.count), Int64(width))
    }
    return [result]
  } forward: {
    let x = x.contiguous(), width = x.shape.last ?? 1, result = Tensor.empty(x.shape)
    let (input, output) = (x.floats, result.mutableFloats)
    Parallel.forEach(x.count / max(1, width), grain: grainElements / max(1, width)) { range in
      let start = range.lowerBound * width
      memcpy(output + start, input + start, range.count * width * 4)
      martlet_softmax(output + start, Int64(range.count), Int64(width))
    }
    return result
  }
}

/// `log(softmax(x))` over the last axis.
public func logSoftmax(_ x: Tensor) -> Tensor { x - logSumExp(x) }

/// `log(sum(exp(x)))` over the last axis, which stays as 1.
public func logSumExp(_ x: Tensor) -> Tensor {
  let peak = x.detached().rowMaximum
  return log(exp(x - peak).sum(axes: [-1], keepingAxes: true)) + peak
}

extension Tensor {
  /// Largest value along the last axis, which stays as 1: a constant.
  fileprivate var rowMaximum: Tensor {
    let kept = shape.dropLast() + [1]
    return self.maximum(axis: shape.count - 1).reshaped(Array(kept))
  }
}

/// Mean cross entropy of rows of logits `[rows, classes]` in nats, each row counting with its weight:
/// `sum(weight * (logSumExp(logits) - logits[target])) / sum(weight)`.
///
/// - Parameters:
///   - logits: `[rows, classes]`.
///   - targets: class of each row; ignored where the weight is 0.
///   - weights: nil counts every row once. 0 leaves a row out (loss masks).
///   - total: divides instead of the sum of the weights, e.g. that of several micro-batches.
///   - labelSmoothing: share of the target spread evenly over all classes.
///   - logitPenalty: RWKV's L2Wrap: adds `logitPenalty / rows * largest logit` to the gradient of each row's largest
///     logit, without showing in the value (BlinkDL, RWKV-LM); 1e-4 there.
public func crossEntropy(
  _ logits: Tensor, targets: [Int], weights: [Float]? = nil, total: Double? = nil, labelSmoothing: Double = 0,
  logitPenalty: Double = 0
) -> Tensor {
  let rows = logits.rows, classes = logits.columns
  precondition(targets.count == rows && weights.map { $0.count == rows } ?? true, "\(targets.count) targets of \(rows)")
  precondition(targets.allSatisfy { $0 >= 0 && $0 < classes }, "a target outside \(classes) classes")
  let weights = weights ?? [Float](repeating: 1, count: rows)
  let total = total ?? Double(weights.reduce(0, +))
  precondition(total > 0, "no row of \(rows) counts")
  let result = fused([logits]) { inputs in
    let dtype = inputs[0].dtype
    let scaled = Tensor(doubles: weights.map { Double($0) / total }, shape: [rows, 1], dtype: dtype)
    let chosen = inputs[0].gathered(axis: 1, targets, shape: [rows, 1])
    let hit = logSumExp(inputs[0]) - chosen
    guard labelSmoothing > 0 else { return (hit * scaled).sum() }
    let spread = logSumExp(inputs[0]) - inputs[0].mean(axes: [1], keepingAxes: true)
    return ((hit * (1 - labelSmoothing) + spread * labelSmoothing) * scaled).sum()
  } pullback: { context in
    let x = context.saved[0].contiguous(), upstream = context.gradient.scalar
    let (_, sums) = crossEntropyRows(x, targets, weights, total: total, labelSmoothing: labelSmoothing)
    let result = Tensor.empty(x.shape)
    let (input, output) = (x.floats, result.mutableFloats)
    let targets = targets.map { Int64($0) }
    Parallel.forEach(rows, grain: max(1, grainElements / classes)) { range in
      for row in range {
        let factor = Float(upstream * Double(weights[row]) / total)
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
            input[row * classes + top] * Float(upstream * logitPenalty * Double(weights[row]) / total)
        }
      }
    }
    return [result]
  } forward: {
    Tensor(crossEntropyRows(logits.contiguous(), targets, weights, total: total, labelSmoothing: labelSmoothing).value)
  }
  return result
}

/// The loss in double precision, and each row's log-sum-exp.
private func crossEntropyRows(
  _ x: Tensor, _ targets: [Int], _ weights: [Float], total: Double, labelSmoothing: Double
) -> (value: Double, sums: [Float]) {
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
    value += loss * Double(weights[row])
  }
  return (value / total, sums.values)
}

/// Mean of `softplus(x) - x * target`: the cross entropy of sigmoid(x) with targets of 0 and 1.
public func binaryCrossEntropy(_ logits: Tensor, targets: Tensor) -> Tensor {
  (softplus(logits) - logits * targets).mean()
}
