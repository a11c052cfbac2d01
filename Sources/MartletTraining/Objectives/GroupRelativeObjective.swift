import MartletTensor

/// Group-relative policy optimisation: several completions of one prompt are rewarded, and each is made more or less likely by how
/// much better it is than its group (GRPO; Shao et al., "DeepSeekMath", 2024, equation 3).
///
/// The loss of a token is `-min(r A, clip(r, 1 - low, 1 + high) A) + klWeight * (e^(ref - p) - (ref - p) - 1)`, in which A is the
/// advantage of its completion, p and ref are log-probabilities of the token by the policy and by the reference, and
/// `r = e^(p - p_old)` compares the policy with that which wrote the completion.
public struct GroupRelativeObjective: Sendable, Codable, Equatable {
  /// How the losses of tokens are made one loss.
  public enum Normalization: String, Sendable, Codable, CaseIterable {
    /// The mean over completions of the mean over the tokens of each, as in the paper: tokens of long completions count less.
    case sequence
    /// The mean over all tokens of the step (DAPO; Yu et al., 2025).
    case token
    /// The sum divided by the number of completions and the largest number of tokens that one may have, a constant: the
    /// length of completions does not change the weight of their tokens (Dr. GRPO; Liu et al., 2025).
    case constant
  }

  /// How the losses of tokens are made one loss.
  public var normalization: Normalization
  /// How far below 1 the ratio of probabilities has an effect.
  public var clipLow: Double
  /// How far above 1 the ratio of probabilities has an effect; DAPO chooses a larger value than for ``clipLow``.
  public var clipHigh: Double
  /// The weight of the divergence from the reference; 0 needs no reference.
  public var klWeight: Double
  /// Whether rewards are divided by their standard deviation in the group; Dr. GRPO does not, because it favours prompts of which
  /// nearly all completions are right, or nearly all wrong.
  public var dividesByDeviation: Bool

  /// An objective; the defaults are those of DAPO with symmetric clipping.
  public init(
    normalization: Normalization = .token, clipLow: Double = 0.2, clipHigh: Double = 0.2, klWeight: Double = 0,
    dividesByDeviation: Bool = true
  ) {
    self.normalization = normalization
    self.clipLow = clipLow
    self.clipHigh = clipHigh
    self.klWeight = klWeight
    self.dividesByDeviation = dividesByDeviation
  }

  /// The advantage of each completion of a group: its reward less their mean, divided by `deviation + 1e-4` if asked for. The
  /// deviation is that of a sample (n - 1), as in TRL. Where all rewards are equal, all advantages are 0.
  public func advantages(rewards: [Double]) -> [Double] {
    let count = Double(rewards.count)
    guard count > 1 else { return rewards.map { _ in 0 } }
    let mean = rewards.reduce(0, +) / count
    let centred = rewards.map { $0 - mean }
    guard dividesByDeviation else { return centred }
    let deviation = (centred.reduce(0) { $0 + $1 * $1 } / (count - 1)).squareRoot()
    return centred.map { $0 / (deviation + 1e-4) }
  }

  /// The weight of every token of each completion in the loss of a step.
  ///
  /// - Parameters:
  ///   - lengths: the number of tokens of each completion of the step; completions without any count as completions.
  ///   - longest: the largest number of tokens that a completion may have.
  public func tokenWeights(lengths: [Int], longest: Int) -> [Double] {
    let count = Double(max(1, lengths.count)), tokens = Double(max(1, lengths.reduce(0, +)))
    return lengths.map { length in
      switch normalization {
      case .sequence: 1 / (count * Double(max(1, length)))
      case .token: 1 / tokens
      case .constant: 1 / (count * Double(max(1, longest)))
      }
    }
  }

  /// The loss of some completions of a step, a scalar. The losses of all parts of a step add up to that of the step.
  ///
  /// - Parameters:
  ///   - logProbabilities: those of the tokens of all completions by the policy, `[tokens]`.
  ///   - old: those by the policy that wrote the completions, `[tokens]`; constants.
  ///   - reference: those by the reference, `[tokens]`; constants. Needed if ``klWeight`` is not 0.
  ///   - advantages: the advantage of each token's completion.
  ///   - weights: the weight of each token (see ``tokenWeights(lengths:longest:)``).
  public func loss(
    _ logProbabilities: Tensor, old: Tensor, reference: Tensor? = nil, advantages: [Double], weights: [Double]
  ) -> Tensor {
    let dtype = logProbabilities.dtype
    let advantage = Tensor(doubles: advantages, dtype: dtype)
    let ratio = exp(logProbabilities - old)
    var loss = -minimum(ratio * advantage, clamp(ratio, from: 1 - clipLow, to: 1 + clipHigh) * advantage)
    if klWeight > 0, let reference {
      loss = loss + Self.divergence(logProbabilities, from: reference) * klWeight
    }
    return (loss * Tensor(doubles: weights, dtype: dtype)).sum()
  }

  /// An unbiased estimate of the divergence of the policy from the reference at each token, never negative (Schulman, "Approximating
  /// KL Divergence", 2020; its k3).
  public static func divergence(_ logProbabilities: Tensor, from reference: Tensor) -> Tensor {
    let difference = reference - logProbabilities
    return exp(difference) - difference - 1
  }
}
