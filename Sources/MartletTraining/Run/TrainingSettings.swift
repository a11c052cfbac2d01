import Foundation
import MartletOptimization
import MartletTensor

/// Everything that decides what a run computes. Saved with the run, so that it can go on.
public struct TrainingSettings: Sendable, Codable, Equatable {
  /// How a step is made from gradients.
  public var optimizer: OptimizerSettings
  /// The course of the learning rate.
  public var schedule: LearningRateSchedule
  /// Steps of the run.
  public var steps: Int
  /// A step takes `batch * context` rows: as many whole windows of a text, or more examples where they are shorter.
  public var batch: Int
  /// Most tokens of an example.
  public var context: Int
  /// Micro-batches whose gradients are added up in a step.
  public var accumulation = 1
  /// What orders, dropout and initial values are functions of.
  public var seed: UInt64 = 1
  /// What the factors of matrix products are rounded to; parameters and sums stay in single precision.
  public var precision = MatrixPrecision.f32
  /// Keeps only each block's input for backward.
  public var checkpointsGradients = false
  /// The weight of the penalty on the largest logit (RWKV's L2Wrap); 0 for none.
  public var logitPenalty = 0.0
  /// Share of the target that is spread over all tokens.
  public var labelSmoothing = 0.0
  /// Steps between validations, checkpoints and lines of the log; 0 for never.
  public var validationInterval = 100
  /// Steps between checkpoints.
  public var checkpointInterval = 200
  /// Checkpoints kept, beside the best one.
  public var keptCheckpoints = 2
  /// Validations without a better loss before the run ends; nil runs on.
  public var patience: Int?
  /// Trains these adapters and nothing else.
  public var adapters: AdapterSettings?
  /// Trains the states that texts begin from, and nothing else.
  public var tunesStartStates = false

  /// Settings of a run.
  public init(
    optimizer: OptimizerSettings, schedule: LearningRateSchedule, steps: Int, batch: Int, context: Int
  ) {
    self.optimizer = optimizer
    self.schedule = schedule
    self.steps = steps
    self.batch = batch
    self.context = context
  }
}

extension MatrixPrecision: Codable {}

/// What one step did.
public struct StepReport: Sendable, Equatable {
  /// Counted from 1.
  public var step: Int
  /// Mean loss in nats over the rows that count; NaN where it was, and the step was skipped.
  public var loss: Double
  /// Global norm of the gradients before clipping.
  public var gradientNorm: Double
  /// The rate of the step.
  public var learningRate: Double
  /// Rows whose prediction counted, and all rows computed.
  public var countedRows, rows: Int
  /// Times that the whole data was dealt before.
  public var epoch: Int
  /// Whether the loss was not finite, so that nothing was changed.
  public var isSkipped: Bool
}
