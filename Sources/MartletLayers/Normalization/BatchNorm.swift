import MartletTensor

/// Batch norm (Ioffe and Szegedy, 2015) of `[batch, channels, ...]` over all axes except the second, with running
/// statistics.
///
/// During training a batch is normalised by its own statistics, and the running statistics are updated afterwards:
///
///     let (y, statistics) = norm.training(x)
///     norm.follow(statistics)
///
/// At inference `norm(x)` normalises by the running statistics, so that the result for an example does not depend on
/// its batch.
public struct BatchNorm: Parameterized, Sendable {
  /// The mean and the variance of one batch, constants of shape `[channels]`.
  public struct Statistics: Sendable {
    /// `[channels]`
    public let mean, variance: Tensor
    /// The number of values for each channel from which they were computed.
    public let count: Int
  }

  /// The scale and the shift of a normalised channel, `[channels]`.
  public var weight, bias: Tensor
  /// The running mean and unbiased variance, `[channels]`.
  public private(set) var mean, variance: Tensor
  /// The weight of a new batch in the running statistics, 0 to 1.
  public var momentum: Double
  /// The epsilon that is added to variances.
  public var epsilon: Double

  /// A norm with scale 1, shift 0, and running statistics of mean 0 and variance 1.
  public init(channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5) {
    weight = .ones([channels])
    bias = .zeros([channels])
    mean = .zeros([channels])
    variance = .ones([channels])
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// Calls `body` for the weight and the bias. Running statistics are not parameters.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("weight", &weight)
    body("bias", &bias)
  }

  /// Calls `body` for the running statistics, for reading or replacing: they belong to a model that is kept.
  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {
    body("running_mean", &mean)
    body("running_variance", &variance)
  }

  /// `x` normalised by its own statistics; gradients flow through them.
  public func training(_ x: Tensor) -> (result: Tensor, statistics: Statistics) {
    let (result, mean, variance) = batchNorm(x, weight: weight, bias: bias, epsilon: epsilon)
    return (
      result,
      Statistics(mean: mean.detached(), variance: variance.detached(), count: x.count / max(1, x.shape[1]))
    )
  }

  /// Updates the running statistics with those of a batch. The variance is made unbiased first, as in PyTorch.
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
