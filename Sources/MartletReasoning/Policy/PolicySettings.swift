import MartletOptimization
import MartletTraining

/// Everything that determines the result of training a policy. The settings are kept with the run, so that it can be resumed.
public struct PolicySettings: Sendable, Codable, Equatable {
  /// What the policy learns from.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// Pairs of a better and a worse answer (`PreferenceObjective`): given ones, or a right and a wrong answer of its own.
    case dpo
    /// Rewards of several answers of its own to each question (`GroupRelativeObjective`).
    case grpo
    /// A teacher's distributions on answers of its own and on given ones (`DistillationObjective`).
    case gkd
  }

  /// What the policy learns from.
  public var method: Method
  /// The optimiser; its learning rate is the highest.
  public var optimizer: OptimizerSettings
  /// The learning rate over the steps.
  public var schedule: LearningRateSchedule
  /// The number of steps: each asks some questions, rewards the answers and updates the policy.
  public var steps: Int
  /// The number of questions of a step.
  public var questions = 8
  /// The number of answers to each question.
  public var samples = 8
  /// The temperature at which answers are written.
  public var temperature = 1.0
  /// The largest number of tokens of an answer.
  public var maxTokens = 64
  /// The number of updates from the answers of a step; more than one needs the clipping of `GroupRelativeObjective`.
  public var updates = 1
  /// The objective of GRPO.
  public var groupRelative = GroupRelativeObjective()
  /// The objective of DPO.
  public var preference = PreferenceObjective()
  /// The objective of GKD.
  public var distillation = DistillationObjective()
  /// The share of questions of GKD whose answer the policy writes; the others have the answer that comes with them (lambda in the paper).
  public var ownShare = 1.0
  /// The reward of an answer that is wrong but in the right form; a right one has 1, and a text without an answer 0.
  public var formReward = 0.0
  /// The seed of the order of questions and of all answers.
  public var seed: UInt64 = 1
  /// The largest number of rows of a forward and backward pass.
  public var passRows = 2048
  /// Whether to use gradient checkpointing.
  public var checkpointsGradients = false
  /// The adapters that are trained; nil trains all parameters.
  public var adapters: AdapterSettings?
  /// The number of steps between measurements on held-out questions; 0 measures before and after alone.
  public var validationInterval = 0
  /// The number of steps between checkpoints.
  public var checkpointInterval = 10

  /// Settings with the defaults of a method.
  public init(
    method: Method, optimizer: OptimizerSettings, schedule: LearningRateSchedule, steps: Int
  ) {
    self.method = method
    self.optimizer = optimizer
    self.schedule = schedule
    self.steps = steps
  }
}
