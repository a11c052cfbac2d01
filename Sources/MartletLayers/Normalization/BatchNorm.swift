import MartletTensor

/// Batch norm (Ioffe and Szegedy, 2015) of `[batch, channels, ...]` over all axes but the second, with running statistics.
///
/// While it learns, a batch is normalised by its own statistics, which the running ones then follow:
///
///     let (y, statistics) = norm.training(x)
///     norm.follow(statistics)
///
/// Later `norm(x)` normalises by the running statistics, so that an example's result does not depend on its batch.
public struct BatchNorm: Parameterized, Sendable {
  /// Mean and variance of one batch, constants of shape `[channels]`.
  public struct Statistics: Sendable {
    /// `[channels]`
    public let mean, variance: Tensor
    /// Values a channel that they were taken from.
    public let count: Int
  }

  /// What a normalised channel is multiplied by, and what is then added, `[channels]`.
  public var weight, bias: Tensor
  /// The running mean and unbiased variance, `[channels]`.
  public private(set) var mean, variance: Tensor
  /// The share of a new batch in the running statistics, 0 to 1.
  public var momentum: Double
  /// Added to variances.
  public var epsilon: Double

  /// A norm that scales by 1 and shifts by 0, with running statistics of mean 0 and variance 1.
  public init(channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5) {
    weight = .ones([channels])
    bias = .zeros([channels])
    mean = .zeros([channels])
    variance = .ones([channels])
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// Hands over weight and bias; running statistics are no parameters.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("weight", &weight)
    body("bias", &bias)
  }

  /// `x` normalised by its own statistics, through which gradients flow.
  public func training(_ x: Tensor) -> (result: Tensor, statistics: Statistics) {
    let (result, mean, variance) = batchNorm(x, weight: weight, bias: bias, epsilon: epsilon)
    return (
      result,
      Statistics(mean: mean.detached(), variance: variance.detached(), count: x.count / max(1, x.shape[1]))
    )
  }

  /// Lets the running statistics follow those of a batch. The variance is made unbiased first, as PyTorch's.
  public mutating func follow(_ batch: Statistics) {
    let unbiased = batch.variance * (Double(batch.count) / Double(max(1, batch.count - 1)))
    mean = mean * (1 - momentum) + batch.mean * momentum
    variance = variance * (1 - momentum) + unbiased * momentum
  }

  /// `x` normalised by the running statistics.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let channel = x.shape.indices.map { $0 == 1 ? x.shape[1] : 1 }
    let scale = weight * rsqrt(variance + epsilon)
    return x * scale.reshaped(channel) + (bias - mean * scale).reshaped(channel)
  }
}
