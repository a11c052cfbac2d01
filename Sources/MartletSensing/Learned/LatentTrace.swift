import MartletTensor

/// Latent steps of deep compressed sensing with a matrix as measurement and the projection to the unit sphere, written out by hand and kept
/// for gradients of the second order.
struct LatentTrace {
  /// One step.
  struct Step {
    let trace: MLPTrace
    /// `F(G(z)) - y`, its gradient with respect to the signal, and those behind each layer.
    let residual, signalGradient: Tensor
    let layers: [Tensor]
    /// The slope of the error, and the length before and the vector after the projection.
    let slope, length, next: Tensor
  }

  /// The latent vectors from the projected start on, `[rows, latents]` each.
  let path: [Tensor]
  /// The steps.
  let steps: [Step]
  /// The size of a step.
  let stepSize: Tensor

  /// nil for a model whose steps are not written out here.
  init?(
    _ model: DeepCompressedSensing, _ measured: Tensor, from start: Tensor, products: MLPProducts,
    measuring: WeightProducts
  ) {
    guard model.optimization.projection == .norm, model.optimization.damping == nil else { return nil }
    func lengths(_ x: Tensor) -> Tensor { sqrt(x.squared.sum(axes: [1], keepingAxes: true)) }
    let stepSize = exp(model.logStep)
    var path = [start / lengths(start)], steps: [Step] = []
    for _ in 0..<model.optimization.steps {
      let z = path[path.count - 1]
      let trace = MLPTrace(products, z)
      let residual = measuring.forward(trace.output) - measured
      let signalGradient = measuring.backward(residual * 2)
      let (layers, slope) = trace.backward(products, signalGradient, toInput: true)
      guard let slope else { return nil }
      let moved = z - stepSize * slope, length = lengths(moved)
      path.append(moved / length)
      steps.append(
        Step(
          trace: trace, residual: residual, signalGradient: signalGradient, layers: layers, slope: slope,
          length: length, next: path[path.count - 1]))
    }
    (self.path, self.steps, self.stepSize) = (path, steps, stepSize)
  }
}

extension DeepCompressedSensing {
  /// The signals `[rows, signal]` that ``reconstruct(_:from:)`` makes, without anything to differentiate, in about half the time where the
  /// steps are written out.
  func signals(_ measurements: Tensor, from start: Tensor) -> Tensor {
    let products = MLPProducts(generator)
    guard let matrix = measurement.matrix,
      let trace = LatentTrace(
        self, measurements, from: encoder.map { $0(measurements) } ?? start, products: products,
        measuring: WeightProducts(matrix))
    else { return reconstruct(measurements, from: start).signals.detached() }
    return MLPTrace(products, trace.path[trace.path.count - 1]).output
  }
}
