/// RMS norm, `x / sqrt(mean(x^2) + epsilon) * weight` over the last axis (Zhang and Sennrich, 2019).
public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Double) -> Tensor {
  precondition(weight.count == x.columns, "a weight of \(weight.count) for \(x.shape)")
  return fused([x, weight]) { inputs in
    inputs[0] * rsqrt(inputs[0].squared.mean(axes: [-1], keepingAxes: true) + epsilon) * inputs[1]
  } pullback: { context in
    let d = CPU.rmsNormGradient(
      context.saved[0].contiguous(), weight: context.saved[1], epsilon: epsilon, context.gradient.contiguous())
    return [d.x, d.weight]
  } forward: {
    CPU.rmsNorm(x.contiguous(), weight: weight, epsilon: epsilon)
  }
}

/// Normalises each of `groups` equal parts of a row to mean 0 and variance 1 (population variance), then scales and
/// shifts by `weight` and `bias` (`[features]`). With one group this is layer norm.
public func groupNorm(_ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
  precondition(weight.count == x.columns && bias.count == x.columns, "weights of \(weight.count) for \(x.shape)")
  precondition(x.columns % groups == 0, "\(groups) groups of \(x.shape)")
  return fused([x, weight, bias]) { inputs in
    let parts = inputs[0].reshaped([inputs[0].rows * groups, inputs[0].columns / groups])
    let centred = parts - parts.mean(axes: [-1], keepingAxes: true)
    let normal = centred * rsqrt(centred.squared.mean(axes: [-1], keepingAxes: true) + epsilon)
    return normal.reshaped(inputs[0].shape) * inputs[1] + inputs[2]
  } pullback: { context in
    let d = CPU.groupNormGradient(
      context.saved[0].contiguous(), groups: groups, weight: context.saved[1], epsilon: epsilon,
      context.gradient.contiguous())
    return [d.x, d.weight, d.bias]
  } forward: {
    CPU.groupNorm(x.contiguous(), groups: groups, weight: weight, bias: bias, epsilon: epsilon)
  }
}

/// Normalises each row to mean 0 and variance 1, then scales and shifts by `weight` and `bias` (`[features]`; Ba et al., 2016).
public func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5) -> Tensor {
  groupNorm(x, groups: 1, weight: weight, bias: bias, epsilon: epsilon)
}

/// Batch norm with the statistics of the batch, over all axes except the second (`[batch, channels, ...]`; Ioffe and
/// Szegedy, 2015). `weight` and `bias` are `[channels]`.
public func batchNorm(
  _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5
) -> (result: Tensor, mean: Tensor, variance: Tensor) {
  let axes = x.shape.indices.filter { $0 != 1 }
  let channel = x.shape.indices.map { $0 == 1 ? x.shape[1] : 1 }
  let mean = x.mean(axes: axes, keepingAxes: true)
  let centred = x - mean
  let variance = centred.squared.mean(axes: axes, keepingAxes: true)
  let result = centred * rsqrt(variance + epsilon) * weight.reshaped(channel) + bias.reshaped(channel)
  return (result, mean.reshaped([x.shape[1]]), variance.reshaped([x.shape[1]]))
}

/// The matrix divided by its largest singular value, which is estimated by one power iteration from the vector `left`
/// (`[rows]`; Miyato et al., 2018). No gradient flows through the singular vectors.
public func spectralNorm(_ weight: Tensor, left: Tensor) -> (result: Tensor, left: Tensor) {
  func unit(_ x: Tensor) -> Tensor { x / sqrt(x.squared.sum() + 1e-24) }
  let matrix = weight.detached()
  let right = unit(matmul(left.reshaped([1, weight.shape[0]]), matrix).reshaped([weight.shape[1]]))
  let left = unit(matmul(matrix, right.reshaped([weight.shape[1], 1])).reshaped([weight.shape[0]]))
  let sigma = matmul(matmul(left.reshaped([1, left.count]), weight), right.reshaped([right.count, 1])).reshaped([])
  return (weight / sigma, left)
}

/// `a * mix + previous * (1 - mix)`, with the same mix (`[features]`) for all rows.
public func lerp(_ a: Tensor, _ previous: Tensor, mix: Tensor) -> Tensor {
  precondition(
    a.shape == previous.shape && mix.count == a.columns, "shapes \(a.shape), \(previous.shape), \(mix.shape)")
  return fused([a, previous, mix]) { inputs in
    inputs[0] * inputs[2] + inputs[1] * (1 - inputs[2])
  } pullback: { context in
    let d = CPU.lerpGradient(
      context.saved[0].contiguous(), context.saved[1].contiguous(), mix: context.saved[2],
      context.gradient.contiguous())
    return [d.a, d.previous, d.mix.reshaped(context.saved[2].shape)]
  } forward: {
    CPU.lerp(a, previous, mix: mix)
  }
}
