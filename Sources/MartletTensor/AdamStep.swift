#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One step of Adam on one tensor, in one pass over memory for single precision.
public struct AdamStep: Sendable {
  /// The decay rates of both moments, the epsilon that is added to the root of the second moment, the weight decay, and
  /// the learning rate.
  public var beta1, beta2, epsilon, weightDecay, learningRate: Double
  /// The factor by which the gradient is multiplied first.
  public var gradientScale: Double
  /// The number of the step, counted from 1.
  public var step: Int
  /// Whether the weight decay is added to the gradient (Adam) instead of applied to the parameter directly (AdamW).
  public var isCoupled: Bool

  /// A step of Adam. See the properties for the meaning of each setting.
  public init(
    beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, learningRate: Double, gradientScale: Double,
    step: Int, isCoupled: Bool
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.learningRate = learningRate
    self.gradientScale = gradientScale
    self.step = step
    self.isCoupled = isCoupled
  }

  /// Updates `parameter` and its moments. Memory that is uniquely referenced is updated in place.
  public func apply(_ parameter: inout Tensor, gradient: Tensor, first: inout Tensor, second: inout Tensor) {
    precondition(gradient.shape == parameter.shape, "a gradient of \(gradient.shape) for \(parameter.shape)")
    let correction1 = 1 - pow(beta1, Double(step)), correction2 = 1 - pow(beta2, Double(step))
    if parameter.dtype == .float64 {
      let g =
        gradient * gradientScale + (isCoupled ? parameter * weightDecay : .zeros(parameter.shape, dtype: .float64))
      first = first * beta1 + g * (1 - beta1)
      second = second * beta2 + g.squared * (1 - beta2)
      let kept = isCoupled ? parameter : parameter * (1 - learningRate * weightDecay)
      parameter = kept - first * (learningRate / correction1) / (sqrt(second / correction2) + epsilon)
      return
    }
    parameter.makeUnique()
    first.makeUnique()
    second.makeUnique()
    CPU.adam(
      self, corrections: (correction1, correction2), parameter: parameter, gradient: gradient.contiguous(),
      first: first, second: second)
  }
}
