import MartletLayers
import MartletTensor

/// A network of a generative adversarial network: from latent vectors to signals, or from signals to logits. All its operations can be
/// differentiated twice.
public protocol SignalNetwork: Sendable, Parameterized {
  /// The number of features of the input.
  var inputCount: Int { get }
  /// The number of features of the output.
  var outputCount: Int { get }
  /// The output `[rows, outputs]` for `x` (`[rows, inputs]`).
  func callAsFunction(_ x: Tensor) -> Tensor
  /// What a network keeps besides its parameters follows a batch `[rows, inputs]`, once after each step of training: running statistics of
  /// batch norm, the vectors of spectral norm.
  mutating func follow(_ x: Tensor)
  /// Calls `body` for all that ``follow(_:)`` changes, always in the same order.
  mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void)
  /// The network as it is used after training, when a row's output does not depend on the other rows.
  var forInference: Self { get }
}

extension SignalNetwork {
  public mutating func follow(_ x: Tensor) {}
  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {}
  public var forInference: Self { self }
}

extension MultilayerPerceptron: SignalNetwork {}
