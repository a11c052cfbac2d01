import CMartletKernels

// Tensors need not be contiguous here.

extension CPU {
  static func sigmoid(_ x: Tensor) -> Tensor { map(x, martlet_sigmoid) }
  /// - Parameter y: the sigmoid.
  static func sigmoidGradient(_ y: Tensor, _ gradient: Tensor) -> Tensor { map(y, gradient, martlet_sigmoid_backward) }

  static func silu(_ x: Tensor) -> Tensor { map(x, martlet_silu) }
  static func siluGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor { map(x, gradient, martlet_silu_backward) }

  static func reluSquared(_ x: Tensor) -> Tensor { map(x, martlet_relu_squared) }
  static func reluSquaredGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    map(x, gradient, martlet_relu_squared_backward)
  }

  /// `silu(gate) * up`.
  static func siluMultiply(_ gate: Tensor, _ up: Tensor) -> Tensor { map(gate, up, martlet_silu_multiply) }

  static func siluMultiplyGradient(
    _ gate: Tensor, _ up: Tensor, _ gradient: Tensor
  ) -> (gate: Tensor, up: Tensor) {
    let (gate, up, gradient) = (gate.contiguous(), up.contiguous(), gradient.contiguous())
    let (dGate, dUp) = (Tensor.empty(gate.shape), Tensor.empty(gate.shape))
    withExtendedLifetime((gate, up, gradient)) {
      let (a, b, g, x, y) = (gate.floats, up.floats, gradient.floats, dGate.mutableFloats, dUp.mutableFloats)
      Parallel.forEach(gate.count, grain: grainElements) { range in
        let i = range.lowerBound
        martlet_silu_multiply_backward(a + i, b + i, g + i, x + i, y + i, Int64(range.count))
      }
    }
    return (dGate, dUp)
  }
}
