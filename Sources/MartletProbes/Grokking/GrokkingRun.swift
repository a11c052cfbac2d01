import Foundation
import MartletLayers
import MartletTensor
import MartletOptimization

/// Everything that determines the results of a grokking run.
public struct GrokkingSettings: Sendable, Codable, Equatable {
  /// The loss functions.
  public enum Loss: String, Sendable, Codable, CaseIterable {
    /// Cross entropy of the softmax.
    case softmax
    /// `s(x) = x + 1` from 0 up, `1 / (1 - x)` below, instead of the exponential (Prieto et al., 2025).
    case stablemax
  }

  /// The operation on the pairs.
  public var operation = ModularTask.Operation.add
  /// The modulus, a prime.
  public var modulus = 59
  /// The share of the pairs used for training.
  public var share = 0.4
  /// The number of layers, 1 or 2.
  public var layers = 1
  /// The width of the model.
  public var width = 128
  /// The number of heads of a layer.
  public var heads = 4
  /// The loss that is minimised.
  public var loss = Loss.softmax
  /// Whether the loss is computed in double precision, which avoids the bumps of single precision near 1e-7 (Nanda et
  /// al., 2023).
  public var usesDoubleLoss = false
  /// The learning rate after the warm-up.
  public var learningRate = 1e-3
  /// The decoupled weight decay, which applies to every tensor.
  public var weightDecay = 1.0
  /// Adam's beta 1.
  public var beta1 = 0.9
  /// Adam's beta 2.
  public var beta2 = 0.98
  /// The number of warm-up steps.
  public var warmup = 10
  /// The largest number of steps.
  public var steps = 10_000
  /// The seed of the initial values and the split.
  public var seed: UInt64 = 1
  /// Grokfast (Lee et al., 2024): `g + amplification * mean`, an exponential mean of the gradients; 0 for none.
  public var grokfastAmplification = 0.0
  /// The decay rate of the mean gradient of Grokfast.
  public var grokfastMemory = 0.98
  /// Whether the component of the gradients along the weights is removed and their norm restored (Prieto et al., 2025).
  public var isOrthogonal = false
  /// The number of steps between evaluations.
  public var interval = 25
  /// The test accuracy at which the run ends; a value above 1 runs all steps.
  public var target = 0.99

  /// The settings of the published figures.
  public init() {}
}

/// The results of an evaluation.
public struct GrokkingPoint: Sendable, Codable, Equatable {
  /// The step after which it was measured.
  public var step: Int
  /// The mean losses and accuracies over the training pairs and over the held-out pairs.
  public var trainingLoss, testLoss, trainingAccuracy, testAccuracy: Double
  /// The sum of the squares of all parameters.
  public var squaredWeights: Double
}

/// Full-batch training on modular arithmetic, from the first step to generalisation.
public struct GrokkingRun: Sendable {
  /// The settings.
  public let settings: GrokkingSettings
  /// The pairs and their answers.
  public let task: ModularTask
  /// The current model.
  public private(set) var model: GrokkingModel
  /// The number of steps made.
  public private(set) var step = 0
  /// The evaluations, oldest first.
  public private(set) var points: [GrokkingPoint] = []
  private var optimizer: Optimizer
  private var means: [Tensor] = []

  /// A run before its first step.
  public init(_ settings: GrokkingSettings) throws {
    guard settings.modulus < 1 << 16, ModularTask.isPrime(settings.modulus) else {
      throw ProbeError("\(settings.modulus) is not a prime; take 59, 97 or 113 for --modulus")
    }
    guard settings.share > 0, settings.share < 1, settings.layers == 1 || settings.layers == 2,
      (1...1 << 16).contains(settings.width), settings.heads > 0, settings.width % settings.heads == 0
    else {
      throw ProbeError("a share between 0 and 1, one or two layers, and a width that the heads divide are needed")
    }
    self.settings = settings
    let random = RandomSource(seed: settings.seed).stream("grokking")
    task = ModularTask(settings.operation, modulus: settings.modulus, share: settings.share, random: random)
    guard !task.training.isEmpty, !task.test.isEmpty else {
      throw ProbeError("the share leaves nothing to train or to test on")
    }
    model = GrokkingModel(
      modulus: settings.modulus, layers: settings.layers, width: settings.width, heads: settings.heads,
      random: random.stream("parameters"))
    optimizer = Optimizer(
      OptimizerSettings(
        method: .adamw, learningRate: settings.learningRate, beta1: settings.beta1, beta2: settings.beta2,
        weightDecay: settings.weightDecay, clip: nil))
  }

  /// The first evaluated step at which all training pairs were correct; nil before that.
  public var memorisedAt: Int? { points.first { $0.trainingAccuracy == 1 }?.step }
  /// The first evaluated step at which at least 99 % of the held-out pairs were correct; nil before that.
  public var generalisedAt: Int? { points.first { $0.testAccuracy >= 0.99 }?.step }
  /// Whether the target accuracy or the last step is reached.
  public var isFinished: Bool { step >= settings.steps || (points.last?.testAccuracy ?? 0) >= settings.target }

  /// Makes one step on all training pairs.
  /// - Returns: the loss before the step.
  @discardableResult
  public mutating func train() -> Double {
    let pairs = task.training.map { task.pairs[$0] }
    let settings = settings
    var (value, gradients) = model.valueAndGradient {
      GrokkingRun.loss($0.logits(pairs), pairs.map(\.answer), settings)
    }
    if settings.isOrthogonal {
      gradients = zip(gradients, model.parameters.map(\.value)).map { gradient, weight in
        let square = weight.squared.sum().scalar
        guard square > 0 else { return gradient }
        let rest = gradient - weight * ((gradient * weight).sum().scalar / square)
        let length = rest.squared.sum().scalar.squareRoot()
        return length > 0 ? rest * (gradient.squared.sum().scalar.squareRoot() / length) : rest
      }
    }
    if settings.grokfastAmplification > 0 {
      means =
        means.isEmpty
        ? gradients
        : zip(means, gradients).map { $0 * settings.grokfastMemory + $1 * (1 - settings.grokfastMemory) }
      gradients = zip(gradients, means).map { $0 + $1 * settings.grokfastAmplification }
    }
    let warm = settings.warmup > 0 ? min(1, Double(step + 1) / Double(settings.warmup)) : 1
    optimizer.update(&model, gradients: gradients, learningRate: settings.learningRate * warm)
    step += 1
    return value.scalar
  }

  /// Evaluates accuracy and loss of both splits and appends them to ``points``.
  public mutating func evaluate() {
    let logits = model.logits(task.pairs)
    func measure(_ places: [Int]) -> (loss: Double, accuracy: Double) {
      let rows = logits.gatherRows(places), answers = places.map { task.pairs[$0].answer }
      let right = zip(rows.argmax(axis: 1), answers).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
      return (GrokkingRun.loss(rows, answers, settings).scalar, Double(right) / Double(places.count))
    }
    let training = measure(task.training), test = measure(task.test)
    points.append(
      GrokkingPoint(
        step: step, trainingLoss: training.loss, testLoss: test.loss, trainingAccuracy: training.accuracy,
        testAccuracy: test.accuracy,
        squaredWeights: model.parameters.reduce(0) { $0 + $1.value.squared.sum().scalar }))
  }

  static func loss(_ logits: Tensor, _ answers: [Int], _ settings: GrokkingSettings) -> Tensor {
    let logits = settings.usesDoubleLoss ? logits.cast(to: .float64) : logits
    switch settings.loss {
    case .softmax: return crossEntropy(logits, targets: answers)
    case .stablemax:
      let s = (relu(logits) + 1) / (relu(-logits) + 1)
      let share = s.gathered(axis: 1, answers, shape: [answers.count, 1]) / s.sum(axes: [1], keepingAxes: true)
      return -log(share).mean()
    }
  }

  // MARK: Saving

  /// Everything needed to go on, as tensors and a JSON record.
  var saved: (tensors: [(name: String, value: Tensor)], record: Record) {
    let names = model.parameters.map(\.name)
    var tensors = model.parameters
    tensors += zip(names, optimizer.first).map { ("first/" + $0, $1) }
    tensors += zip(names, optimizer.second).map { ("second/" + $0, $1) }
    tensors += zip(names, means).map { ("mean/" + $0, $1) }
    return (tensors, Record(step: step, optimizerStep: optimizer.step, settings: settings, points: points))
  }

  struct Record: Codable {
    var step, optimizerStep: Int
    var settings: GrokkingSettings
    var points: [GrokkingPoint]
  }

  mutating func restore(_ record: Record, _ tensor: (String, [Int]) throws -> Tensor?) throws {
    let shapes = model.parameters.map { ($0.name, $0.value.shape) }
    func all(_ prefix: String) throws -> [Tensor] { try shapes.compactMap { try tensor(prefix + $0.0, $0.1) } }
    let parameters = try all("")
    guard parameters.count == shapes.count else { throw ProbeError("the saved run lacks parameters; begin again") }
    model.replaceParameters(parameters)
    optimizer = Optimizer(
      optimizer.settings, step: record.optimizerStep, first: try all("first/"), second: try all("second/"))
    means = try all("mean/")
    step = record.step
    points = record.points
  }
}
