import MartletLayers
import MartletTensor

/// A network from measurements straight to the signal, trained on the error of the signal. At equal CPU time it recovers clean signals of
/// the kind that it was trained on better than deep compressed sensing, so it is the default.
public struct RegressionDecoder: Sendable, Parameterized {
  /// Signals to measurements.
  public var measurement: MeasurementFunction
  /// Measurements `[rows, measurements]` to signals `[rows, signal]`.
  public var decoder: MultilayerPerceptron

  /// A decoder of given parts.
  public init(measurement: MeasurementFunction, decoder: MultilayerPerceptron) {
    self.measurement = measurement
    self.decoder = decoder
  }

  /// Signals `[rows, signal]` of measurements `[rows, measurements]`.
  public func reconstruct(_ measurements: Tensor) -> Tensor { decoder(measurements) }

  /// `mean_b ||x - D(F(x))||²` of signals `[rows, signal]`.
  public func loss(_ signals: Tensor) -> Tensor {
    (signals - decoder(measurement(signals))).squared.sum(axes: [1]).mean()
  }

  /// ``loss(_:)`` and its gradient for the trained parameters, in their order. For a matrix as measurement it is written out by hand, which
  /// is faster than the tape.
  func lossAndGradient(_ signals: Tensor, precision: MatrixPrecision = .f32) -> (loss: Double, gradients: [Tensor]) {
    guard let matrix = measurement.matrix else {
      let (loss, gradients) = valueAndGradient(where: isTrained) { $0.loss(signals) }
      return (loss.scalar, gradients)
    }
    let products = MLPProducts(decoder, precision: precision, isPacked: false), rows = Double(signals.rows)
    let trace = MLPTrace(products, matmul(signals, matrix))
    let error = trace.output - signals
    let (layers, input) = trace.backward(products, error * (2 / rows), toInput: measurement.isLearnt)
    var parameters = MLPGradients(layers: layers.count, precision: precision)
    for (place, gradient) in layers.enumerated() {
      parameters.add(trace.inputs[place], gradient, layer: place, hasBias: true)
    }
    let measured = input.map { [matmul(signals.transposed(), $0)] } ?? []
    return (error.squared.sum().scalar / rows, measured + parameters.values)
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    measurement.visitParameters("measurement", body)
    decoder.visitParameters("decoder", body)
  }

  /// Whether training changes the parameter of a name.
  public func isTrained(_ name: String) -> Bool { measurement.isLearnt || !name.hasPrefix("measurement.") }
}
