import Foundation
import MartletLayers
import MartletTensor

/// How an optimiser moves parameters.
public struct OptimizerSettings: Sendable, Codable, Equatable {
  /// Ways of making a step.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// Stochastic gradient descent, with momentum if asked for.
    case sgd
    /// Adam with the decay added to the gradient (Kingma and Ba, 2015).
    case adam
    /// Adam with decoupled decay (Loshchilov and Hutter, 2019).
    case adamw
  }

  /// How a step is made.
  public var method: Method
  /// The highest learning rate.
  public var learningRate: Double
  /// Share of the first moment that stays.
  public var beta1: Double
  /// Share of the second moment that stays.
  public var beta2: Double
  /// What is added to the root of the second moment.
  public var epsilon: Double
  /// Share of a weight that is taken away, times the learning rate.
  public var weightDecay: Double
  /// Of SGD.
  public var momentum: Double
  /// Gradients are scaled down to at most this global norm; nil leaves them.
  public var clip: Double?

  /// Settings, with the usual values of AdamW.
  public init(
    method: Method = .adamw, learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.99, epsilon: Double = 1e-8,
    weightDecay: Double = 0, momentum: Double = 0, clip: Double? = 1
  ) {
    self.method = method
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.momentum = momentum
    self.clip = clip
  }

  /// Adam as published, without decay or clipping.
  public static func adam(learningRate: Double) -> OptimizerSettings {
    OptimizerSettings(method: .adam, learningRate: learningRate, beta2: 0.999, clip: nil)
  }
}

/// What sets a parameter apart from others.
public struct ParameterGroup: Sendable, Equatable {
  /// Times the learning rate.
  public var learningRateFactor: Double
  /// Whether weight decay applies.
  public var isDecayed: Bool

  /// What sets a parameter apart.
  public init(learningRateFactor: Double = 1, isDecayed: Bool = true) {
    self.learningRateFactor = learningRateFactor
    self.isDecayed = isDecayed
  }

  /// Weight decay on matrices named `*.weight`, and on nothing else.
  ///
  /// - Parameters:
  ///   - name: the parameter's name in a checkpoint.
  ///   - shape: the parameter's shape.
  ///   - learningRateFactor: what sets the parameter's rate apart, such as a model's own choice for it.
  public static func standard(_ name: String, _ shape: [Int], learningRateFactor: Double = 1) -> ParameterGroup {
    ParameterGroup(
      learningRateFactor: learningRateFactor, isDecayed: shape.count == 2 && name.hasSuffix(".weight"))
  }
}

/// Maps parameters and gradients to new parameters, and remembers moments.
public struct Optimizer: Sendable {
  /// How steps are made.
  public let settings: OptimizerSettings
  /// Steps made.
  public private(set) var step = 0
  /// One a parameter; empty before the first step. Of SGD the first is the velocity.
  public private(set) var first: [Tensor] = []
  /// Second moments, one a parameter; empty for SGD.
  public private(set) var second: [Tensor] = []

  /// An optimiser that has made no step.
  public init(_ settings: OptimizerSettings) { self.settings = settings }

  /// Goes on where another run stopped.
  public init(_ settings: OptimizerSettings, step: Int, first: [Tensor], second: [Tensor]) {
    self.settings = settings
    self.step = step
    self.first = first
    self.second = second
  }

  /// Euclidean norm of all gradients together.
  public static func globalNorm(_ gradients: [Tensor]) -> Double {
    gradients.reduce(0) { $0 + $1.squared.sum().scalar }.squareRoot()
  }

  /// One step.
  ///
  /// - Parameters:
  ///   - parameters: what is trained, always in the same order.
  ///   - gradients: one a parameter, of its shape.
  ///   - groups: one a parameter; empty for plain ones.
  ///   - learningRate: instead of the settings' own, e.g. from a schedule.
  ///   - norm: the global norm of the gradients, where it is known already.
  /// - Returns: the global norm of the gradients before clipping.
  @discardableResult
  public mutating func update(
    _ parameters: inout [Tensor], gradients: [Tensor], groups: [ParameterGroup] = [], learningRate: Double? = nil,
    norm: Double? = nil
  ) -> Double {
    precondition(parameters.count == gradients.count, "\(gradients.count) gradients of \(parameters.count) parameters")
    if first.isEmpty {
      first = parameters.map { .zeros($0.shape, dtype: $0.dtype) }
      second = settings.method == .sgd ? [] : first.map { .zeros($0.shape, dtype: $0.dtype) }
    }
    precondition(first.count == parameters.count, "moments of \(first.count) parameters for \(parameters.count)")
    step += 1
    let norm = norm ?? Optimizer.globalNorm(gradients)
    let scale = settings.clip.map { norm > $0 ? $0 / (norm + 1e-6) : 1 } ?? 1
    for index in parameters.indices {
      let group = groups.isEmpty ? ParameterGroup() : groups[index]
      let rate = (learningRate ?? settings.learningRate) * group.learningRateFactor
      let decay = group.isDecayed ? settings.weightDecay : 0
      if settings.method == .sgd {
        let gradient = gradients[index] * scale + parameters[index] * decay
        first[index] = first[index] * settings.momentum + gradient
        parameters[index] = parameters[index] - first[index] * rate
      } else {
        AdamStep(
          beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, weightDecay: decay,
          learningRate: rate, gradientScale: scale, step: step, isCoupled: settings.method == .adam
        ).apply(&parameters[index], gradient: gradients[index], first: &first[index], second: &second[index])
      }
    }
    return norm
  }

  /// One step on a single tensor.
  public mutating func update(_ parameter: inout Tensor, gradient: Tensor) {
    var parameters = [parameter]
    parameter = .zeros([0])  // nobody else holds the memory that is written
    update(&parameters, gradients: [gradient])
    parameter = parameters[0]
  }

  /// One step on the parameters of a model that `isTrained` accepts; the gradients are in their order.
  ///
  /// - Returns: the global norm of the gradients before clipping.
  @discardableResult
  public mutating func update(
    _ model: inout some Parameterized, gradients: [Tensor], groups: [ParameterGroup] = [],
    learningRate: Double? = nil, norm: Double? = nil, where isTrained: (String) -> Bool = { _ in true }
  ) -> Double {
    // The model must not hold the memory that is written.
    var parameters = model.takeParameters(where: isTrained)
    let norm = update(&parameters, gradients: gradients, groups: groups, learningRate: learningRate, norm: norm)
    model.replaceParameters(parameters, where: isTrained)
    return norm
  }
}
