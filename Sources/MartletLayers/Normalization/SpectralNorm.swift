import MartletTensor

/// A matrix that is divided by its largest singular value, so that its spectral norm is 1 (Miyato et al., 2018).
///
/// The singular value is estimated by power iteration from a vector that is kept between steps. A training step changes
/// the matrix only a little, so one iteration for each step is enough.
public struct SpectralNorm: Parameterized, Sendable {
  /// `[rows, columns]`
  public var weight: Tensor
  /// The estimate of the left singular vector, `[rows]`, a constant of length 1.
  public private(set) var left: Tensor

  /// - Parameters:
  ///   - weight: `[rows, columns]`
  ///   - random: the random numbers for the first estimate, which ``refine(iterations:)`` improves.
  public init(weight: Tensor, random: RandomSource) {
    self.weight = weight
    let start = normal([weight.shape[0]], random: random)
    left = start / sqrt(start.squared.sum() + 1e-24)
  }

  /// Calls `body` for the matrix before the division.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("weight", &weight)
  }

  /// Calls `body` for the estimate of the singular vector, for reading or replacing: training goes on from it.
  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {
    body("left", &left)
  }

  /// The matrix divided by the estimate of one more iteration, `[rows, columns]`. Gradients also flow through the
  /// singular value.
  public func normalized() -> Tensor { spectralNorm(weight, left: left.cast(to: weight.dtype)).result }

  /// Improves the estimate of the singular vector. Call this once for each training step.
  public mutating func refine(iterations: Int = 1) {
    for _ in 0..<iterations {
      left = spectralNorm(weight.detached(), left: left.cast(to: weight.dtype)).left.detached()
    }
  }
}
