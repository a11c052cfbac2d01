import MartletLayers
import MartletTensor

/// Images to logits or measurements: convolutions, each followed by a leaky ReLU with slope 0.1, then a linear layer. Every weight has
/// spectral norm 1 (the released code of CS-GAN, `nets.py`; Miyato et al., 2018).
public struct ConvolutionalDiscriminator: SignalNetwork {
  /// A convolution: 3x3 with stride 1, or 4x4 with stride 2, which halves the map.
  public struct Layer: Sendable {
    /// `[out, in * kernel * kernel]`
    public var norm: SpectralNorm
    /// `[out]`
    public var bias: Tensor
    /// The number of channels of the input, and the size of the kernel and its stride.
    public let inputs, kernel, stride: Int
  }

  /// The convolutions.
  public var layers: [Layer]
  /// The linear layer, `[outputs, features]`, and its bias `[outputs]`.
  public var output: (norm: SpectralNorm, bias: Tensor)
  /// The number of pixels along each axis, and of colours, of an image.
  public let side, colours: Int
  private static let slope = 0.1

  /// A network with random parameters.
  /// - Parameters:
  ///   - side: the number of pixels along each axis of an image.
  ///   - colours: 1 for grey images, 3 for colour.
  ///   - layers: the number of channels of each convolution, and whether it halves the map. The published network for 32x32 has 64, 64
  ///     (halved), 128, 128 (halved), 256, 256 (halved) and 512.
  ///   - outputs: the number of logits or measurements.
  ///   - random: draws the parameters.
  public init(
    side: Int, colours: Int = 1, layers: [(channels: Int, halves: Bool)], outputs: Int = 2, random: RandomSource
  ) {
    self.side = side
    self.colours = colours
    func weight(_ rows: Int, _ columns: Int, _ random: RandomSource) -> SpectralNorm {
      let deviation = (1 / Double(max(1, columns))).squareRoot()
      var norm = SpectralNorm(
        weight: normal([rows, columns], deviation: deviation, random: random.stream("weight")),
        random: random.stream("left"))
      norm.refine(iterations: 10)
      return norm
    }
    var inputs = colours, size = side
    self.layers = []
    for (place, layer) in layers.enumerated() {
      let (kernel, stride) = layer.halves ? (4, 2) : (3, 1)
      self.layers.append(
        Layer(
          norm: weight(layer.channels, inputs * kernel * kernel, random.stream(place)), bias: .zeros([layer.channels]),
          inputs: inputs, kernel: kernel, stride: stride))
      inputs = layer.channels
      if layer.halves { size /= 2 }
    }
    output = (weight(outputs, inputs * size * size, random.stream("output")), .zeros([outputs]))
  }

  public var inputCount: Int { colours * side * side }
  public var outputCount: Int { output.bias.count }

  /// Logits `[rows, outputs]` of images `[rows, colours * side * side]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    var x = images.reshaped([images.rows, colours, side, side])
    for layer in layers {
      let weight = layer.norm.normalized().reshaped([layer.bias.count, layer.inputs, layer.kernel, layer.kernel])
      x = leakyRelu(
        convolution(x, weight: weight, bias: layer.bias, stride: layer.stride, padding: 1), slope: Self.slope)
    }
    return matmul(x.reshaped([images.rows, x.columns]), output.norm.normalized().transposed()) + output.bias
  }

  /// The vectors of the spectral norms are the same for every use within a step, so that all latent steps meet one network.
  public mutating func follow(_ x: Tensor) {
    for place in layers.indices { layers[place].norm.refine() }
    output.norm.refine()
  }

  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {
    for place in layers.indices { layers[place].norm.visitStatistics { body("layers.\(place).\($0)", &$1) } }
    output.norm.visitStatistics { body("output.\($0)", &$1) }
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    for place in layers.indices {
      layers[place].norm.visitParameters("layers.\(place)", body)
      body("layers.\(place).bias", &layers[place].bias)
    }
    output.norm.visitParameters("output", body)
    body("output.bias", &output.bias)
  }
}
