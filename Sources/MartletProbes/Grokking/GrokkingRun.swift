import Foundation
import MartletLayers
import MartletTensor
import MartletOptimization

/// Everything that decides what a run of grokking computes.
public struct GrokkingSettings: Sendable, Codable, Equatable {
  /// Losses.
  public enum Loss: String, Sendable, Codable, CaseIterable {
    /// Cross entropy of the softmax.
    case softmax
    /// `s(x) = x + 1` from 0 up, `1 / (1 - x)` below, instead of the exponential (Prieto et al., 2025).
    case stablemax
  }

  /// What the pairs are combined by.
  public var operation = ModularTask.Operation.add
  /// A prime.
  public var modulus = 59
  /// Share of the pairs that is trained on.
  public var share = 0.4
  /// 1 or 2.
  public var layers = 1
  /// Width of the model.
  public var width = 128
  /// Heads of a layer.
  public var heads = 4
  /// The loss that is minimised.
  public var loss = Loss.softmax
  /// Loss in double precision, which avoids the bumps of single precision near 1e-7 (Nanda et al., 2023).
  public var usesDoubleLoss = false
  /// Learning rate after the warm-up.
  public var learningRate = 1e-3
  /// Decoupled weight decay, on every tensor.
  public var weightDecay = 1.0
  /// Adam's beta 1.
  public var beta1 = 0.9
  /// Adam's beta 2.
  public var beta2 = 0.98
  /// Steps over which the learning rate grows.
  public var warmup = 10
  /// Most steps.
  public var steps = 10_000
  /// What initial values and the split are functions of.
  public var seed: UInt64 = 1
  /// Grokfast (Lee et al., 2024): `g + amplification * mean`, an exponential mean of the gradients; 0 for none.
  public var grokfastAmplification = 0.0
  /// Share of the mean gradient that stays from step to step.
  public var grokfastMemory = 0.98
  /// Gradients without their part along the weights, at their old length (Prieto et al., 2025).
  public var isOrthogonal = false
  /// Steps between evaluations.
  public var interval = 25
  /// The run ends at this test accuracy; above 1 it makes all steps.
  public var target = 0.99

  /// The settings of the figures that are published.
  public init() {}
}

/// What an evaluation found.
public struct GrokkingPoint: Sendable, Codable, Equatable {
  /// The step after which it was measured.
  public var step: Int
  /// Means over the pairs trained on and over those held out.
  public var trainingLoss, testLoss, trainingAccuracy, testAccuracy: Double
  /// Sum of the squares of all parameters.
  public var squaredWeights: Double
}

/// Full-batch training on modular arithmetic, from first step to generalisation.
public struct GrokkingRun: Sendable {
  /// How the run was begun.
  public let settings: GrokkingSettings
  /// The pairs and their answers.
  public let task: ModularTask
  /// The model as it is now.
  public private(set) var model: GrokkingModel
  /// Steps made.
  public private(set) var step = 0
  /// What was measured, the oldest first.
  public private(set) var points: [GrokkingPoint] = []
  private var optimizer: Optimizer
  private var means: [Tensor] = []

  /// A run that has made no step.
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

  /// First evaluated step with every training pair right, and with at least 99 % of the test pairs right.
  public var memorisedAt: Int? { points.first { $0.trainingAccuracy == 1 }?.step }
  /// The first step at which 99 % of the held-out pairs were right; nil before that.
  public var generalisedAt: Int? { points.first { $0.testAccuracy >= 0.99 }?.step }
  /// Whether the target or the last step is reached.
  public var isFinished: Bool { step >= settings.steps || (points.last?.testAccuracy ?? 0) >= settings.target }

  /// One step on all training pairs.
  /// - Returns: the loss before it.
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

  /// Accuracy and loss of both splits now, added to `points`.
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
