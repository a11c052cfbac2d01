/// Everything that determines the results of a grokking run.
public struct GrokkingSettings: Sendable, Codable, Equatable {
  /// The loss functions.
  public enum Loss: String, Sendable, Codable, CaseIterable {
    /// Cross entropy of the softmax.
    case softmax
    /// `s(x) = x + 1` from 0 up, `1 / (1 - x)` below, instead of the exponential (Prieto et al., 2025).
    case stablemax
  }

  /// The operation on the pairs.
  public var operation = ModularTask.Operation.add
  /// The modulus, a prime.
  public var modulus = 59
  /// The share of the pairs used for training.
  public var share = 0.4
  /// The number of layers, 1 or 2.
  public var layers = 1
  /// The width of the model.
  public var width = 128
  /// The number of heads of a layer.
  public var heads = 4
  /// The loss that is minimised.
  public var loss = Loss.softmax
  /// Whether the loss is computed in double precision, which avoids the bumps of single precision near 1e-7 (Nanda et
  /// al., 2023).
  public var usesDoubleLoss = false
  /// The learning rate after the warm-up.
  public var learningRate = 1e-3
  /// The decoupled weight decay, which applies to every tensor.
  public var weightDecay = 1.0
  /// Adam's beta 1.
  public var beta1 = 0.9
  /// Adam's beta 2.
  public var beta2 = 0.98
  /// The number of warm-up steps.
  public var warmup = 10
  /// The largest number of steps.
  public var steps = 10_000
  /// The seed of the initial values and the split.
  public var seed: UInt64 = 1
  /// Grokfast (Lee et al., 2024): `g + amplification * mean`, an exponential mean of the gradients; 0 for none.
  public var grokfastAmplification = 0.0
  /// The decay rate of the mean gradient of Grokfast.
  public var grokfastMemory = 0.98
  /// Whether the component of the gradients along the weights is removed and their norm restored (Prieto et al., 2025).
  public var isOrthogonal = false
  /// The number of steps between evaluations.
  public var interval = 25
  /// The test accuracy at which the run ends; a value above 1 runs all steps.
  public var target = 0.99

  /// The settings of the published figures.
  public init() {}

  /// Whether a run with other settings can go on with these: they differ at most in where they end.
  func continues(_ earlier: GrokkingSettings) -> Bool {
    var same = self
    same.steps = earlier.steps
    same.target = earlier.target
    return same == earlier
  }

  /// The number of steps between checkpoints, always at evaluations: about eighty in all steps.
  var snapshotInterval: Int { max(interval, steps / 80 / interval * interval) }
}
