import MartletTensor

/// Products with a weight `[inputs, outputs]` that stays the same for a while: in single precision it is packed once for the kernels.
struct WeightProducts {
  private let weight: Tensor
  private let precision: MatrixPrecision
  /// For `x W` and `g Wᵀ`; nil where the weight is not packed.
  private let packed: (forward: PackedTiles, backward: PackedTiles)?

  /// - Parameters:
  ///   - weight: `[inputs, outputs]`.
  ///   - precision: what the factors of products are rounded to; no matter in double precision.
  ///   - isPacked: whether the weight is packed, which pays where it is used several times.
  init(_ weight: Tensor, precision: MatrixPrecision = .f32, isPacked: Bool = true) {
    let weight = weight.detached()
    self.weight = weight
    self.precision = precision
    packed =
      isPacked && weight.dtype == .float32
      ? (PackedTiles(weight.transposed(), precision: precision), PackedTiles(weight, precision: precision)) : nil
  }

  /// `x W`
  func forward(_ x: Tensor) -> Tensor {
    guard let packed else { return matmul(x, weight, precision: precision) }
    return PackedTiles.multiply([(packed.forward, x.contiguous())])[0]
  }

  /// `g Wᵀ`
  func backward(_ gradient: Tensor) -> Tensor {
    guard let packed else { return matmul(gradient, weight.transposed(), precision: precision) }
    return PackedTiles.multiply([(packed.backward, gradient.contiguous())])[0]
  }
}

/// Products with the weights of a network whose parameters stay the same for a while.
struct MLPProducts {
  let network: MultilayerPerceptron
  let layers: [WeightProducts]

  /// See ``WeightProducts``.
  init(_ network: MultilayerPerceptron, precision: MatrixPrecision = .f32, isPacked: Bool = true) {
    self.network = network
    layers = network.layers.map { WeightProducts($0.weight, precision: precision, isPacked: isPacked) }
  }
}

/// A pass of a ``MultilayerPerceptron`` over some rows, kept for gradients of the first and second order that are written out by hand: the same
/// numbers as by the tape, in about half the time, as weights' gradients are gathered into one product each.
struct MLPTrace {
  /// The input of each layer, `[rows, inputs]`.
  let inputs: [Tensor]
  /// The slope of each hidden layer's activation.
  let slopes: [Tensor]
  /// What comes out, `[rows, outputs]`.
  let output: Tensor
  /// The slope of the last activation; nil where there is none.
  let outputSlope: Tensor?

  init(_ products: MLPProducts, _ x: Tensor) {
    let network = products.network
    var inputs: [Tensor] = [], slopes: [Tensor] = [], y = x
    for (place, layer) in network.layers.enumerated() {
      inputs.append(y)
      y = products.layers[place].forward(y) + layer.bias
      guard place < network.layers.count - 1 else { break }
      let slope = y.isGreater(than: Tensor(0, dtype: y.dtype)) * (1 - network.slope) + network.slope
      y = y * slope
      slopes.append(slope)
    }
    if network.output == .tanh {
      output = tanh(y)
      outputSlope = 1 - output.squared
    } else {
      output = y
      outputSlope = nil
    }
    self.inputs = inputs
    self.slopes = slopes
  }

  /// The gradients of a scalar with respect to what goes into each layer's activation, given that of the output, in the order
  /// of the layers; and, if asked for, that of the input.
  func backward(_ products: MLPProducts, _ upstream: Tensor, toInput: Bool) -> (
    layers: [Tensor], input: Tensor?
  ) {
    var layers = [outputSlope.map { upstream * $0 } ?? upstream]
    for place in inputs.indices.dropFirst().reversed() {
      layers.append(products.layers[place].backward(layers[layers.count - 1]) * slopes[place - 1])
    }
    layers.reverse()
    let input = toInput ? products.layers.first?.backward(layers[0]) : nil
    return (layers, input)
  }
}

/// The gradients of a network's parameters, gathered over several passes.
struct MLPGradients {
  private var lefts: [[Tensor]], rights: [[Tensor]], biases: [Tensor?]
  private let precision: MatrixPrecision

  init(layers: Int, precision: MatrixPrecision = .f32) {
    self.precision = precision
    lefts = Array(repeating: [], count: layers)
    rights = lefts
    biases = Array(repeating: nil, count: layers)
  }

  /// Adds `leftᵀ right` to the gradient of a layer's weight, and, where they are gradients behind the bias, the sum of the right rows to
  /// that of its bias.
  mutating func add(_ left: Tensor, _ right: Tensor, layer: Int, hasBias: Bool) {
    lefts[layer].append(left)
    rights[layer].append(right)
    guard hasBias else { return }
    let sum = right.sum(axes: [0])
    biases[layer] = biases[layer].map { $0 + sum } ?? sum
  }

  /// The gradient of every weight and bias, in the order of the network's parameters.
  var values: [Tensor] {
    lefts.indices.flatMap { layer -> [Tensor] in
      func whole(_ parts: [Tensor]) -> Tensor { parts.count == 1 ? parts[0] : concatenated(parts) }
      let weight = matmul(whole(lefts[layer]).transposed(), whole(rights[layer]), precision: precision)
      return [weight, biases[layer] ?? .zeros([weight.shape[1]], dtype: weight.dtype)]
    }
  }
}
