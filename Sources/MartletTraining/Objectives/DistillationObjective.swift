import Foundation
import MartletTensor

/// Generalised knowledge distillation: the student's distribution of every token approaches the teacher's, on texts of the student as
/// on given ones (GKD; Agarwal et al., "On-Policy Distillation of Language Models", 2024, equation 1).
///
/// The divergence is the generalised Jensen-Shannon divergence `beta KL(T | M) + (1 - beta) KL(S | M)` with the mixture
/// `M = beta T + (1 - beta) S`; for beta 0 it is the forward divergence `KL(T | S)`, for 1 the reverse one, `KL(S | T)`.
public struct DistillationObjective: Sendable, Codable, Equatable {
  /// The place between the forward divergence (0), which covers all that the teacher may say, and the reverse one (1), which keeps to
  /// what it mostly says.
  public var beta: Double
  /// What the logits of both are divided by.
  public var temperature: Double

  /// An objective. Precondition: beta is from 0 to 1, the temperature above 0.
  public init(beta: Double = 0.5, temperature: Double = 1) {
    precondition((0...1).contains(beta) && temperature > 0, "beta \(beta), temperature \(temperature)")
    self.beta = beta
    self.temperature = temperature
  }

  /// The divergence at each row, `[rows]`.
  /// - Parameters:
  ///   - student: logits `[rows, classes]`.
  ///   - teacher: logits `[rows, classes]`; constants.
  public func divergences(student: Tensor, teacher: Tensor) -> Tensor {
    let (s, t) = (logSoftmax(scaled(student)), logSoftmax(scaled(teacher.detached())))
    if beta == 0 { return divergence(t, from: s) }
    if beta == 1 { return divergence(s, from: t) }
    // log(beta e^t + (1 - beta) e^s)
    let first = t + log(beta), second = s + log(1 - beta)
    let mixture = first + softplus(second - first)
    return divergence(t, from: mixture) * beta + divergence(s, from: mixture) * (1 - beta)
  }

  private func scaled(_ logits: Tensor) -> Tensor { temperature == 1 ? logits : logits / temperature }

  /// `sum(e^p (p - q))` over the classes of each row.
  private func divergence(_ p: Tensor, from q: Tensor) -> Tensor { (exp(p) * (p - q)).sum(axes: [1]) }
}
