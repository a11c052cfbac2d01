import MartletLayers
import MartletTensor

/// Layers `h = x W + b` with a leaky ReLU between them: `[rows, inputs]` to `[rows, outputs]`.
///
/// Every operation can be differentiated twice, which latent optimisation needs.
public struct MultilayerPerceptron: Sendable, Parameterized {
  /// What the last layer's values go through.
  public enum Output: String, Sendable, Codable {
    /// Nothing.
    case linear
    /// The hyperbolic tangent: values from -1 to 1.
    case tanh
  }

  /// One layer.
  public struct Layer: Sendable {
    /// `[inputs, outputs]`
    public var weight: Tensor
    /// `[outputs]`
    public var bias: Tensor

    /// A layer with given parameters.
    public init(weight: Tensor, bias: Tensor) {
      self.weight = weight
      self.bias = bias
    }
  }

  /// The layers, from the input to the output.
  public var layers: [Layer]
  /// The slope of the leaky ReLU below 0.
  public var slope: Double
  /// What the last layer's values go through.
  public var output: Output

  /// A network with given layers.
  public init(layers: [Layer], slope: Double = 0.2, output: Output = .linear) {
    self.layers = layers
    self.slope = slope
    self.output = output
  }

  /// A network with random parameters: weights of `N(0, 1 / inputs)` and biases of 0, as the released code of deep compressed sensing begins.
  /// - Parameters:
  ///   - widths: the number of features of the input, of each hidden layer and of the output.
  ///   - slope: the slope of the leaky ReLU below 0.
  ///   - output: what the last layer's values go through.
  ///   - random: draws the parameters.
  public init(widths: [Int], slope: Double = 0.2, output: Output = .linear, random: RandomSource) {
    layers = zip(widths, widths.dropFirst()).enumerated().map { place, width in
      Layer(
        weight: normal(
          [width.0, width.1], deviation: 1 / Double(max(1, width.0)).squareRoot(), random: random.stream(place)),
        bias: .zeros([width.1]))
    }
    self.slope = slope
    self.output = output
  }

  /// The number of features of the input.
  public var inputCount: Int { layers.first?.weight.shape[0] ?? 0 }
  /// The number of features of the output.
  public var outputCount: Int { layers.last?.weight.shape[1] ?? 0 }

  /// The output `[rows, outputs]` for `x` (`[rows, inputs]`).
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x
    for (place, layer) in layers.enumerated() {
      y = matmul(y, layer.weight) + layer.bias
      if place < layers.count - 1 { y = leakyRelu(y, slope: slope) }
    }
    return output == .tanh ? tanh(y) : y
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    for place in layers.indices {
      body("\(place).weight", &layers[place].weight)
      body("\(place).bias", &layers[place].bias)
    }
  }
}
