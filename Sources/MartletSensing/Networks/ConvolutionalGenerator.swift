import MartletLayers
import MartletTensor

/// Latent vectors to images: a linear layer to a small map, transposed convolutions of 4x4 with stride 2 that double it, a 3x3 convolution
/// to the colours, and the hyperbolic tangent; batch norm and ReLU between them (the released code of CS-GAN, `nets.py`).
public struct ConvolutionalGenerator: SignalNetwork {
  /// `[latents, channels * base * base]`
  public var projection: Tensor
  /// The transposed convolutions `[in, out, 4, 4]`.
  public var upsamplings: [Tensor]
  /// The norms behind the linear layer and behind each transposed convolution.
  public var norms: [BatchNorm]
  /// The last convolution, `[colours, channels, 3, 3]`, and its bias `[colours]`.
  public var output: (weight: Tensor, bias: Tensor)
  /// The number of pixels along each axis of the first map.
  public let base: Int
  /// Whether norms take the statistics of the batch.
  public private(set) var isTraining = true

  /// A network with random parameters.
  /// - Parameters:
  ///   - latents: the number of values of a latent vector.
  ///   - base: the number of pixels along each axis of the first map. The images have `base << (channels.count - 1)`.
  ///   - channels: the number of channels of each map. The published network for 32x32 has 512, 256, 128 and 64 from a base of 4.
  ///   - colours: 1 for grey images, 3 for colour.
  ///   - random: draws the parameters.
  public init(latents: Int, base: Int, channels: [Int], colours: Int = 1, random: RandomSource) {
    let channels = channels.isEmpty ? [1] : channels
    self.base = base
    func kernel(_ shape: [Int], inputs: Int, _ name: String) -> Tensor {
      normal(shape, deviation: (1 / Double(max(1, inputs))).squareRoot(), random: random.stream(name))
    }
    projection = kernel([latents, channels[0] * base * base], inputs: latents, "projection")
    // Each pixel of the result is reached by 4 of the 16 entries.
    upsamplings = zip(channels, channels.dropFirst()).enumerated().map { place, width in
      kernel([width.0, width.1, 4, 4], inputs: 4 * width.0, "upsampling \(place)")
    }
    norms = channels.map { BatchNorm(channels: $0) }
    let last = channels[channels.count - 1]
    output = (kernel([colours, last, 3, 3], inputs: 9 * last, "output"), .zeros([colours]))
  }

  /// The number of pixels along each axis of an image.
  public var side: Int { base << upsamplings.count }
  public var inputCount: Int { projection.shape[0] }
  public var outputCount: Int { output.bias.count * side * side }
  public var forInference: ConvolutionalGenerator {
    var copy = self
    copy.isTraining = false
    return copy
  }

  /// Images `[rows, colours * side * side]` with values from -1 to 1 of latent vectors `[rows, latents]`.
  public func callAsFunction(_ z: Tensor) -> Tensor { run(z) { _, _ in } }

  public mutating func follow(_ z: Tensor) {
    var seen: [BatchNorm.Statistics] = []
    _ = run(z) { _, statistics in seen.append(statistics) }
    for (place, statistics) in seen.enumerated() { norms[place].follow(statistics) }
  }

  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {
    for place in norms.indices { norms[place].visitStatistics { body("norms.\(place).\($0)", &$1) } }
  }

  private func run(_ z: Tensor, statistics: (Int, BatchNorm.Statistics) -> Void) -> Tensor {
    func normalized(_ x: Tensor, _ place: Int) -> Tensor {
      guard isTraining else { return relu(norms[place](x)) }
      let (result, batch) = norms[place].training(x)
      statistics(place, batch)
      return relu(result)
    }
    let channels = norms[0].weight.count
    var x = normalized(matmul(z, projection).reshaped([z.rows, channels, base, base]), 0)
    for (place, kernel) in upsamplings.enumerated() {
      x = normalized(transposedConvolution(x, weight: kernel, stride: 2, padding: 1), place + 1)
    }
    return tanh(convolution(x, weight: output.weight, bias: output.bias, padding: 1)).reshaped([z.rows, outputCount])
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("projection.weight", &projection)
    for place in upsamplings.indices { body("upsamplings.\(place).weight", &upsamplings[place]) }
    for place in norms.indices { norms[place].visitParameters("norms.\(place)", body) }
    body("output.weight", &output.weight)
    body("output.bias", &output.bias)
  }
}
