import MartletKernels

public func sigmoid(_ x: Tensor) -> Tensor {
  fused([x], savesOutput: true) { inputs in
    unary(MARTLET_OP_SIGMOID, inputs[0]).recorded(from: inputs, savesOutput: true) { context in
      let y = context.saved[0]
      return [context.gradient * y * (1 - y)]
    }
  } pullback: { context in
    [context.saved[1].mapElements(with: context.gradient, martlet_sigmoid_backward)]
  } forward: {
    x.mapElements(martlet_sigmoid)
  }
}

/// `x * sigmoid(x)`.
public func silu(_ x: Tensor) -> Tensor {
  fused([x]) {
    $0[0] * sigmoid($0[0])
  } pullback: { context in
    [context.saved[0].mapElements(with: context.gradient, martlet_silu_backward)]
  } forward: {
    x.mapElements(martlet_silu)
  }
}

/// `silu(gate) * up` in one pass.
public func siluMultiply(_ gate: Tensor, _ up: Tensor) -> Tensor {
  fused([gate, up]) {
    silu($0[0]) * $0[1]
  } pullback: { context in
    let (gate, up, gradient) = (
      context.saved[0].contiguous(), context.saved[1].contiguous(), context.gradient.contiguous()
    )
    let (dGate, dUp) = (Tensor.empty(gate.shape), Tensor.empty(gate.shape))
    let (a, b, g, x, y) = (gate.floats, up.floats, gradient.floats, dGate.mutableFloats, dUp.mutableFloats)
    Parallel.forEach(gate.count, grain: grainElements) { range in
      let i = range.lowerBound
      martlet_silu_multiply_backward(a + i, b + i, g + i, x + i, y + i, Int64(range.count))
    }
    return [dGate, dUp]
  } forward: {
    gate.mapElements(with: up, martlet_silu_multiply)
  }
}

public func relu(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_RELU, x).recorded(from: [x], saving: [x]) { context in
    [context.gradient * unary(MARTLET_OP_STEP, context.saved[0])]
  }
}

/// `max(x, 0)^2`.
public func reluSquared(_ x: Tensor) -> Tensor {
  fused([x]) {
    relu($0[0]).squared
  } pullback: { context in
    [context.saved[0].mapElements(with: context.gradient, martlet_relu_squared_backward)]
  } forward: {
    x.mapElements(martlet_relu_squared)
  }
}

/// `x` above 0, `slope * x` below.
public func leakyRelu(_ x: Tensor, slope: Double = 0.2) -> Tensor {
  x * (unary(MARTLET_OP_STEP, x.detached()) * (1 - slope) + slope)
}

/// `x * Phi(x)` with the normal distribution function (Hendrycks and Gimpel, 2016).
public func gelu(_ x: Tensor) -> Tensor { x * 0.5 * (1 + erf(x * 0.7071067811865476)) }

/// The tanh approximation of ``gelu(_:)``.
public func geluTanh(_ x: Tensor) -> Tensor {
  x * 0.5 * (1 + tanh((x + x * x * x * 0.044715) * 0.7978845608028654))
}
