import MartletTensor

/// A matrix that is used divided by its largest singular value, so that it lengthens no vector (Miyato et al., 2018).
///
/// The singular value is estimated by power iteration from a vector that is kept from step to step: a step of training
/// changes the matrix little, so one iteration a step follows it.
public struct SpectralNorm: Parameterized, Sendable {
  /// `[rows, columns]`
  public var weight: Tensor
  /// The estimate of the left singular vector, `[rows]`, a constant of length 1.
  public private(set) var left: Tensor

  /// - Parameters:
  ///   - weight: `[rows, columns]`
  ///   - random: what the first estimate is drawn from; ``refine(iterations:)`` makes it a good one.
  public init(weight: Tensor, random: RandomSource) {
    self.weight = weight
    let start = normal([weight.shape[0]], random: random)
    left = start / sqrt(start.squared.sum() + 1e-24)
  }

  /// Hands over the matrix before it is divided.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("weight", &weight)
  }

  /// The matrix divided by the estimate that one more iteration gives, `[rows, columns]`. Gradients flow through the
  /// singular value as well.
  public func normalized() -> Tensor { spectralNorm(weight, left: left).result }

  /// Keeps a better estimate of the singular vector, once a step of training.
  public mutating func refine(iterations: Int = 1) {
    for _ in 0..<iterations { left = spectralNorm(weight.detached(), left: left).left.detached() }
  }
}
