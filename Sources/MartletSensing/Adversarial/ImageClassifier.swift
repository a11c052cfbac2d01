import MartletLayers
import MartletOptimization
import MartletTensor

/// A classifier of images, whose features judge generated ones. It is trained on the data at hand and is no Inception network.
public struct ImageClassifier: Sendable {
  /// Images `[rows, pixels]` to logits `[rows, classes]`.
  public private(set) var network: MultilayerPerceptron

  /// A classifier of a given network.
  public init(network: MultilayerPerceptron) { self.network = network }

  /// Trains a classifier by Adam, in random order.
  /// - Parameters:
  ///   - images: `[rows, pixels]`, values from -1 to 1.
  ///   - labels: the class of each image.
  ///   - classes: the number of classes.
  ///   - steps: the number of batches of 64.
  ///   - random: draws the parameters and the batches.
  ///   - progress: is given the number of steps made.
  /// - Throws: ``SensingError`` if there is not one label below `classes` for each image; what `progress` throws.
  public static func train(
    _ images: Tensor, labels: [Int], classes: Int = 10, steps: Int = 3000, random: RandomSource,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> ImageClassifier {
    guard images.rows > 0, labels.count == images.rows else {
      throw SensingError("There are \(labels.count) labels for \(images.rows) images: give one label for each image.")
    }
    guard let highest = labels.max(), highest < classes, labels.allSatisfy({ $0 >= 0 }) else {
      throw SensingError("Labels must lie from 0 to \(classes - 1); the highest is \(labels.max() ?? 0).")
    }
    var network = MultilayerPerceptron(widths: [images.columns, 256, 64, classes], random: random.stream("classifier"))
    var optimizer = Optimizer(.adam(learningRate: 1e-3))
    for step in 0..<steps {
      let draw = random.stream("batches").stream(step)
      let rows = (0..<64).map { draw.integer($0, below: images.rows) }
      let batch = images.gatherRows(rows), targets = rows.map { labels[$0] }
      let (_, gradients) = network.valueAndGradient { crossEntropy($0(batch), targets: targets) }
      let rate = 1e-3 * (1 - Double(step) / Double(steps))
      optimizer.update(&network, gradients: gradients, learningRate: rate)
      try progress(step + 1)
    }
    return ImageClassifier(network: network)
  }

  /// The values of the last hidden layer, `[rows, features]`.
  public func features(_ images: Tensor) -> Tensor {
    let hidden = MultilayerPerceptron(layers: Array(network.layers.dropLast()), slope: network.slope)
    return leakyRelu(hidden(images), slope: network.slope)
  }

  /// The probability of each class, `[rows, classes]`.
  public func probabilities(_ images: Tensor) -> Tensor { softmax(network(images)) }

  /// The share of images whose label is the most likely class.
  public func accuracy(_ images: Tensor, labels: [Int]) -> Double {
    let right = zip(network(images).argmax(axis: 1), labels).count { $0 == $1 }
    return Double(right) / Double(max(1, labels.count))
  }
}
