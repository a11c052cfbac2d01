import MartletLayers
import MartletTensor

extension RecoveryModel {
  /// The number of measurements of an image.
  public var measurementCount: Int {
    switch self {
    case .regression(let model): model.measurement.measurementCount
    case .dcs(let model): model.measurement.measurementCount
    case .unrolled(let model): model.matrix.shape[1]
    case .csgm(_, let measurement, _): measurement.measurementCount
    }
  }

  /// The matrix by which the model measures, `[pixels, measurements]`; nil where a network measures.
  public var measurementMatrix: Tensor? {
    switch self {
    case .regression(let model): model.measurement.matrix
    case .dcs(let model): model.measurement.matrix
    case .unrolled(let model): model.matrix
    case .csgm(_, let measurement, _): measurement.matrix
    }
  }

  /// The model that takes the first measurements only; it measures them times `sqrt(all / count)` (``MeasurementFunction/first(_:)``).
  /// - Parameter count: the number of measurements, from 1 to ``measurementCount``; others are taken for the nearest of these.
  public func first(_ count: Int) -> RecoveryModel {
    let count = min(max(count, 1), measurementCount)
    func shortened(_ network: MultilayerPerceptron) -> MultilayerPerceptron {
      guard let first = network.layers.first else { return network }
      var copy = network
      copy.layers[0].weight = first.weight.rows(0..<count).contiguous()
      return copy
    }
    switch self {
    case .regression(let model):
      return .regression(
        RegressionDecoder(measurement: model.measurement.first(count), decoder: shortened(model.decoder)))
    case .dcs(var model):
      model.measurement = model.measurement.first(count)
      model.encoder = model.encoder.map(shortened)
      return .dcs(model)
    case .unrolled(var model):
      let scale = MeasurementFunction.scale(count, of: measurementCount)
      model.matrix = model.matrix.slice(axis: 1, 0..<count).contiguous() * scale
      model.start.weight = model.start.weight.rows(0..<count).contiguous()
      return .unrolled(model)
    case .csgm(let prior, let measurement, let search): return .csgm(prior, measurement.first(count), search)
    }
  }

  /// The gradients of this model's trained parameters, given those of ``first(_:)``: what the shorter model lacks has the gradient 0.
  func gradients(_ gradients: [Tensor], ofFirst count: Int) -> [Tensor] {
    let scale = MeasurementFunction.scale(count, of: measurementCount)
    return zip(parameters(where: isTrained), gradients).map { parameter, gradient in
      let shape = parameter.value.shape
      guard gradient.shape != shape else { return gradient }
      let scaled = parameter.name.hasPrefix("measurement.") ? gradient * scale : gradient
      return shape.indices.reduce(scaled) { tensor, axis in
        let missing = shape[axis] - tensor.shape[axis]
        return missing > 0 ? tensor.padded(axis: axis, before: 0, after: missing) : tensor
      }
    }
  }
}
