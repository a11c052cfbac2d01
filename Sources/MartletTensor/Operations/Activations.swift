/// `1 / (1 + e^-x)`.
public func sigmoid(_ x: Tensor) -> Tensor {
  fused([x], savesOutput: true) { inputs in
    CPU.unary(.sigmoid, inputs[0]).recorded(from: inputs, savesOutput: true) { context in
      let y = context.saved[0]
      return [context.gradient * y * (1 - y)]
    }
  } pullback: { context in
    [CPU.sigmoidGradient(context.saved[1], context.gradient)]
  } forward: {
    CPU.sigmoid(x)
  }
}

/// `x * sigmoid(x)`.
public func silu(_ x: Tensor) -> Tensor {
  fused([x]) {
    $0[0] * sigmoid($0[0])
  } pullback: { context in
    [CPU.siluGradient(context.saved[0], context.gradient)]
  } forward: {
    CPU.silu(x)
  }
}

/// `silu(gate) * up` in one pass.
public func siluMultiply(_ gate: Tensor, _ up: Tensor) -> Tensor {
  fused([gate, up]) {
    silu($0[0]) * $0[1]
  } pullback: { context in
    let d = CPU.siluMultiplyGradient(context.saved[0], context.saved[1], context.gradient)
    return [d.gate, d.up]
  } forward: {
    CPU.siluMultiply(gate, up)
  }
}

/// `max(x, 0)`.
public func relu(_ x: Tensor) -> Tensor {
  CPU.unary(.relu, x).recorded(from: [x], saving: [x]) { context in
    [context.gradient * CPU.unary(.step, context.saved[0])]
  }
}

/// `max(x, 0)^2`.
public func reluSquared(_ x: Tensor) -> Tensor {
  fused([x]) {
    relu($0[0]).squared
  } pullback: { context in
    [CPU.reluSquaredGradient(context.saved[0], context.gradient)]
  } forward: {
    CPU.reluSquared(x)
  }
}

/// `x` above 0, `slope * x` below.
public func leakyRelu(_ x: Tensor, slope: Double = 0.2) -> Tensor {
  x * (CPU.unary(.step, x.detached()) * (1 - slope) + slope)
}

/// `x * Phi(x)` with the normal distribution function (Hendrycks and Gimpel, 2016).
public func gelu(_ x: Tensor) -> Tensor { x * 0.5 * (1 + erf(x * 0.7071067811865476)) }

/// The tanh approximation of ``gelu(_:)``.
public func geluTanh(_ x: Tensor) -> Tensor {
  x * 0.5 * (1 + tanh((x + x * x * x * 0.044715) * 0.7978845608028654))
}
