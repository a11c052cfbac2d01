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

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    measurement.visitParameters("measurement", body)
    decoder.visitParameters("decoder", body)
  }

  /// Whether training changes the parameter of a name.
  public func isTrained(_ name: String) -> Bool { measurement.isLearnt || !name.hasPrefix("measurement.") }
}
