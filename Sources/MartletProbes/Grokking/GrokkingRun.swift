import Foundation
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// The results of an evaluation.
public struct GrokkingPoint: Sendable, Codable, Equatable {
  /// The step after which it was measured.
  public var step: Int
  /// The mean losses and accuracies over the training pairs and over the held-out pairs.
  public var trainingLoss, testLoss, trainingAccuracy, testAccuracy: Double
  /// The sum of the squares of all parameters.
  public var squaredWeights: Double
}

extension Encodable {
  /// The value as a line of `metrics.jsonl`.
  var metrics: [String: Any] {
    get throws {
      try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(self)) as? [String: Any] ?? [:]
    }
  }
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
  private(set) var optimizer: Optimizer
  /// Grokfast's mean gradients, one for each parameter; empty before the first step and without Grokfast.
  private(set) var means: [Tensor] = []

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
    let random = RandomSource(seed: settings.seed).stream("grokking")
    let task = ModularTask(settings.operation, modulus: settings.modulus, share: settings.share, random: random)
    guard !task.training.isEmpty, !task.test.isEmpty else {
      throw ProbeError("the share leaves nothing to train or to test on")
    }
    let model = GrokkingModel(
      modulus: settings.modulus, layers: settings.layers, width: settings.width, heads: settings.heads,
      random: random.stream("parameters"))
    self.init(settings, task: task, model: model)
  }

  /// A run with given pairs, from given parameters.
  init(_ settings: GrokkingSettings, task: ModularTask, model: GrokkingModel) {
    self.settings = settings
    self.task = task
    self.model = model
    optimizer = Optimizer(
      OptimizerSettings(
        method: .adamw, learningRate: settings.learningRate, beta1: settings.beta1, beta2: settings.beta2,
        weightDecay: settings.weightDecay, clip: nil))
  }

  /// The first evaluated step at which all training pairs were correct; nil before that.
  public var memorisedAt: Int? { points.first { $0.trainingAccuracy == 1 }?.step }
  /// The first evaluated step at which at least 99 % of the held-out pairs were correct; nil before that.
  public var generalisedAt: Int? { points.first { $0.testAccuracy >= 0.99 }?.step }
  /// Whether the loss has stopped being a number: the run has diverged.
  public var hasDiverged: Bool { points.last.map { !$0.trainingLoss.isFinite } ?? false }
  /// Whether the target accuracy or the last step is reached, or the run has diverged.
  public var isFinished: Bool {
    step >= settings.steps || (points.last?.testAccuracy ?? 0) >= settings.target || hasDiverged
  }

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

  /// Goes on where a checkpoint stood.
  mutating func restore(
    parameters: [Tensor], optimizer: Optimizer, means: [Tensor], step: Int, points: [GrokkingPoint]
  ) {
    model.replaceParameters(parameters)
    self.optimizer = optimizer
    self.means = means
    self.step = step
    self.points = points
  }
}
