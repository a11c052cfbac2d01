import Foundation
import MartletLayers
import MartletTensor

/// The settings of an optimiser.
public struct OptimizerSettings: Sendable, Codable, Equatable {
  /// The optimisation methods.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// Stochastic gradient descent, optionally with momentum.
    case sgd
    /// Adam, with weight decay added to the gradient (Kingma and Ba, 2015).
    case adam
    /// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    case adamw
  }

  /// The method.
  public var method: Method
  /// The highest learning rate.
  public var learningRate: Double
  /// The decay rate of the first moment.
  public var beta1: Double
  /// The decay rate of the second moment.
  public var beta2: Double
  /// The constant that is added to the square root of the second moment.
  public var epsilon: Double
  /// The weight decay, which is multiplied by the learning rate.
  public var weightDecay: Double
  /// The momentum of SGD.
  public var momentum: Double
  /// The largest global norm of the gradients; larger gradients are scaled down. nil disables clipping.
  public var clip: Double?

  /// Settings; the defaults are the usual values of AdamW.
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

/// The settings of a group of parameters that differ from the others.
public struct ParameterGroup: Sendable, Equatable {
  /// The factor by which the learning rate is multiplied.
  public var learningRateFactor: Double
  /// Whether weight decay applies.
  public var isDecayed: Bool

  /// Settings of a group; the defaults change nothing.
  public init(learningRateFactor: Double = 1, isDecayed: Bool = true) {
    self.learningRateFactor = learningRateFactor
    self.isDecayed = isDecayed
  }

  /// The usual group of a parameter: weight decay applies to matrices named `*.weight` and to no other parameter.
  ///
  /// - Parameters:
  ///   - name: the parameter's name in a checkpoint.
  ///   - shape: the parameter's shape.
  ///   - learningRateFactor: the factor of the learning rate, such as the one that a model family recommends.
  public static func standard(_ name: String, _ shape: [Int], learningRateFactor: Double = 1) -> ParameterGroup {
    ParameterGroup(
      learningRateFactor: learningRateFactor, isDecayed: shape.count == 2 && name.hasSuffix(".weight"))
  }
}

/// Computes new parameters from parameters and gradients, and keeps the moments between steps.
///
///     var optimizer = Optimizer(.adam(learningRate: 0.01))
///     for _ in 0..<100 {
///       let (loss, gradients) = model.valueAndGradient { ($0(x) - y).squared.mean() }
///       optimizer.update(&model, gradients: gradients)
///     }
public struct Optimizer: Sendable {
  /// The settings.
  public let settings: OptimizerSettings
  /// The number of steps made.
  public private(set) var step = 0
  /// The first moments, one for each parameter; empty before the first step. For SGD this is the velocity.
  public private(set) var first: [Tensor] = []
  /// The second moments, one for each parameter; empty for SGD.
  public private(set) var second: [Tensor] = []

  /// An optimiser before its first step.
  public init(_ settings: OptimizerSettings) { self.settings = settings }

  /// Continues from the state of an earlier run.
  public init(_ settings: OptimizerSettings, step: Int, first: [Tensor], second: [Tensor]) {
    self.settings = settings
    self.step = step
    self.first = first
    self.second = second
  }

  /// The Euclidean norm of all gradients together.
  public static func globalNorm(_ gradients: [Tensor]) -> Double {
    gradients.reduce(0) { $0 + $1.squared.sum().scalar }.squareRoot()
  }

  /// Makes one step.
  ///
  /// - Parameters:
  ///   - parameters: the trained parameters, always in the same order.
  ///   - gradients: one gradient for each parameter, with its shape.
  ///   - groups: one group for each parameter; empty if all use the settings unchanged.
  ///   - learningRate: the learning rate in place of that of the settings, e.g. from a schedule.
  ///   - norm: the global norm of the gradients, if it has been computed already.
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

  /// Makes one step on a single tensor.
  public mutating func update(_ parameter: inout Tensor, gradient: Tensor) {
    var parameters = [parameter]
    parameter = .zeros([0])  // nobody else holds the memory that is written
    update(&parameters, gradients: [gradient], norm: settings.clip == nil ? 0 : nil)
    parameter = parameters[0]
  }

  /// Makes one step on the parameters of a model that `isTrained` accepts; the gradients have the same order.
  ///
  /// - Parameters:
  ///   - model: its parameters are replaced in place.
  ///   - gradients: the mean gradients, one of each parameter's shape.
  ///   - groups: the group of each parameter; empty puts all in the standard group.
  ///   - learningRate: the rate of this step; nil takes the one of the settings.
  ///   - norm: the global norm of the gradients, if it has been computed already.
  ///   - isTrained: chooses parameters by name; it must not hold the model, as a method of it does, or the memory that is
  ///     written is copied first.
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
