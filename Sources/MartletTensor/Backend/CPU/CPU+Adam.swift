import CMartletKernels

extension CPU {
  /// One step of Adam, in one pass over memory, on tensors whose memory nobody else holds.
  ///
  /// - Parameters:
  ///   - corrections: `1 - beta^step` of both betas.
  ///   - gradient: contiguous, of the parameter's shape.
  static func adam(
    _ step: AdamStep, corrections: (Double, Double), parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor
  ) {
    var code = martlet_adam_step(
      gradient_scale: Float(step.gradientScale), beta1: Float(step.beta1), beta2: Float(step.beta2),
      epsilon: Float(step.epsilon), weight_decay: Float(step.weightDecay), learning_rate: Float(step.learningRate),
      correction1: Float(corrections.0), correction2: Float(corrections.1), coupled: step.isCoupled)
    let (p, g, m, v) = (parameter.mutableFloats, gradient.floats, first.mutableFloats, second.mutableFloats)
    withUnsafePointer(to: &code) { code in
      nonisolated(unsafe) let code = code
      Parallel.forEach(parameter.count, grain: 16384) { range in
        let i = range.lowerBound
        martlet_adam(code, p + i, g + i, m + i, v + i, Int64(range.count))
      }
    }
  }
}
