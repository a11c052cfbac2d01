/// Softmax over the last axis.
public func softmax(_ x: Tensor) -> Tensor {
  fused([x], savesOutput: true) { inputs in
    let shifted = exp(inputs[0] - inputs[0].detached().rowMaximum)
    return shifted / shifted.sum(axes: [-1], keepingAxes: true)
  } pullback: { context in
    [CPU.softmaxGradient(context.saved[1].contiguous(), context.gradient.contiguous())]
  } forward: {
    CPU.softmax(x.contiguous())
  }
}

/// `log(softmax(x))` over the last axis.
public func logSoftmax(_ x: Tensor) -> Tensor { x - logSumExp(x) }

/// `log(sum(exp(x)))` over the last axis, which is kept with length 1.
public func logSumExp(_ x: Tensor) -> Tensor {
  let peak = x.detached().rowMaximum
  return log(exp(x - peak).sum(axes: [-1], keepingAxes: true)) + peak
}

extension Tensor {
  /// What rows of logits `[rows, classes]` say: the log-sum-exp of each, and the place of the largest logit, at a tie the
  /// first. A row's results depend on the row alone. No gradient is recorded.
  public func rowPredictions() -> (logSumExps: [Float], argmax: [Int]) { CPU.predictions(contiguous()) }

  /// Largest value along the last axis, which stays as 1: a constant.
  fileprivate var rowMaximum: Tensor {
    let kept = shape.dropLast() + [1]
    return self.maximum(axis: shape.count - 1).reshaped(Array(kept))
  }
}

/// The weighted mean cross entropy of rows of logits `[rows, classes]` in nats: `sum(weight * (logSumExp(logits) -
/// logits[target])) / sum(weight)`.
///
/// - Parameters:
///   - logits: `[rows, classes]`.
///   - targets: the class of each row; ignored if the weight is 0.
///   - weights: the weight of each row; nil weights all rows equally, and 0 masks a row.
///   - total: the divisor in place of the sum of the weights, e.g. the sum over several micro-batches.
///   - labelSmoothing: the share of the target that is spread evenly over all classes.
///   - logitPenalty: RWKV's L2Wrap: `logitPenalty / rows * largest logit` is added to the gradient of each row's
///     largest logit and not to the value (BlinkDL, RWKV-LM, which uses 1e-4).
public func crossEntropy(
  _ logits: Tensor, targets: [Int], weights: [Double]? = nil, total: Double? = nil, labelSmoothing: Double = 0,
  logitPenalty: Double = 0
) -> Tensor {
  let rows = logits.rows, classes = logits.columns
  precondition(targets.count == rows && weights.map { $0.count == rows } ?? true, "\(targets.count) targets of \(rows)")
  precondition(targets.allSatisfy { $0 >= 0 && $0 < classes }, "a target outside \(classes) classes")
  let weights = weights ?? [Double](repeating: 1, count: rows)
  let total = total ?? weights.reduce(0, +)
  precondition(total > 0, "no row of \(rows) counts")
  let loss = CPU.CrossEntropy(
    targets: targets, weights: weights, total: total, labelSmoothing: labelSmoothing, logitPenalty: logitPenalty)
  return fused([logits]) { inputs in
    let dtype = inputs[0].dtype
    let scaled = Tensor(doubles: weights.map { $0 / total }, shape: [rows, 1], dtype: dtype)
    let chosen = inputs[0].gathered(axis: 1, targets, shape: [rows, 1])
    let hit = logSumExp(inputs[0]) - chosen
    guard labelSmoothing > 0 else { return (hit * scaled).sum() }
    let spread = logSumExp(inputs[0]) - inputs[0].mean(axes: [1], keepingAxes: true)
    return ((hit * (1 - labelSmoothing) + spread * labelSmoothing) * scaled).sum()
  } pullback: { context in
    [loss.gradient(context.saved[0].contiguous(), upstream: context.gradient.scalar)]
  } forward: {
    Tensor(loss.value(logits.contiguous()).value)
  }
}

/// The natural logarithm of the probability of one class of each row: `logits[class] - logSumExp(logits)`, `[rows]`.
///
/// - Parameters:
///   - logits: `[rows, classes]`.
///   - classes: the class of each row.
public func logProbabilities(_ logits: Tensor, of classes: [Int]) -> Tensor {
  let rows = logits.rows, count = logits.columns
  precondition(classes.count == rows, "\(classes.count) classes of \(rows) rows")
  precondition(classes.allSatisfy { $0 >= 0 && $0 < count }, "a class outside \(count)")
  return fused([logits]) { inputs in
    (inputs[0].gathered(axis: 1, classes, shape: [rows, 1]) - logSumExp(inputs[0])).reshaped([rows])
  } pullback: { context in
    // The gradient of a row is that of its cross entropy, weighted by the negative of what flows in.
    let loss = CPU.CrossEntropy(
      targets: classes, weights: context.gradient.doubleValues.map { -$0 }, total: 1, labelSmoothing: 0, logitPenalty: 0
    )
    return [loss.gradient(context.saved[0].contiguous(), upstream: 1)]
  } forward: {
    let dense = logits.detached().contiguous()
    let chosen = dense.gathered(axis: 1, classes, shape: [rows, 1]).values
    return Tensor(zip(chosen, dense.rowPredictions().logSumExps).map { $0 - $1 })
  }
}

/// Mean of `softplus(x) - x * target`: the binary cross entropy of sigmoid(x) with targets 0 and 1.
public func binaryCrossEntropy(_ logits: Tensor, targets: Tensor) -> Tensor {
  (softplus(logits) - logits * targets).mean()
}
