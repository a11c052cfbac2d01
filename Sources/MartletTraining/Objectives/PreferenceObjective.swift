import MartletTensor

/// Direct preference optimisation: of two completions of a prompt the chosen one becomes more likely than the rejected one, measured
/// against a reference model (Rafailov et al., "Direct Preference Optimization", 2023, equation 7).
public struct PreferenceObjective: Sendable, Codable, Equatable {
  /// The strength of the pull to the reference: the smaller, the further the policy may go.
  public var beta: Double
  /// The probability that a pair is labelled the wrong way round (conservative DPO; Mitchell, 2023).
  public var labelSmoothing: Double

  /// An objective.
  public init(beta: Double = 0.1, labelSmoothing: Double = 0) {
    self.beta = beta
    self.labelSmoothing = labelSmoothing
  }

  /// How much more the policy prefers the chosen completions than the reference does, `[pairs]`: `beta * (log(pi/ref of chosen) -
  /// log(pi/ref of rejected))`. A pair is ranked correctly where it is above 0.
  ///
  /// All parameters are log-probabilities of whole completions, `[pairs]`: sums over their tokens.
  public func margins(
    chosen: Tensor, rejected: Tensor, referenceChosen: Tensor, referenceRejected: Tensor
  ) -> Tensor {
    ((chosen - rejected) - (referenceChosen - referenceRejected)) * beta
  }

  /// The loss of each pair, `[pairs]`: `-(1 - s) log sigmoid(margin) - s log sigmoid(-margin)` for a smoothing s.
  public func losses(margins: Tensor) -> Tensor {
    let loss = softplus(-margins)
    return labelSmoothing > 0 ? loss * (1 - labelSmoothing) + softplus(margins) * labelSmoothing : loss
  }
}
