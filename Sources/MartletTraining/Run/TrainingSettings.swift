import Foundation
import MartletOptimization
import MartletTensor

/// Everything that determines the results of a run. The settings are saved with the run, so that it can be resumed.
public struct TrainingSettings: Sendable, Codable, Equatable {
  /// The settings of the optimiser.
  public var optimizer: OptimizerSettings
  /// The learning rate schedule.
  public var schedule: LearningRateSchedule
  /// The number of steps.
  public var steps: Int
  /// The batch size: a step has `batch * context` rows, which are `batch` full windows of a text or a larger number of
  /// shorter examples.
  public var batch: Int
  /// The largest number of tokens of an example.
  public var context: Int
  /// The number of micro-batches whose gradients are accumulated in a step.
  public var accumulation = 1
  /// The seed of the order of examples, of dropout and of initial values.
  public var seed: UInt64 = 1
  /// The precision of matrix products; parameters and accumulators stay in single precision.
  public var precision = MatrixPrecision.f32
  /// Whether to use gradient checkpointing, which keeps only the input of each block for the backward pass.
  public var checkpointsGradients = false
  /// The weight of the penalty on the largest logit (RWKV's L2Wrap); 0 for none.
  public var logitPenalty = 0.0
  /// The share of the target that is spread evenly over all tokens.
  public var labelSmoothing = 0.0
  /// The share of each task in the loss, which is then the sum over the tasks of the share times the mean loss of the
  /// task's rows; nil takes the mean over all rows, whatever their task. Distilling step-by-step (Hsieh et al., 2023)
  /// has the label as task 0 and the rationale as task 1, with shares `[alpha, 1 - alpha]`.
  public var taskShares: [Double]?
  /// The number of steps between validations; 0 disables them.
  public var validationInterval = 100
  /// The number of steps between checkpoints.
  public var checkpointInterval = 200
  /// The number of checkpoints to keep, in addition to the best one.
  public var keptCheckpoints = 2
  /// The number of validations without improvement after which the run ends (early stopping); nil disables it.
  public var patience: Int?
  /// The adapters to train, with all other parameters frozen; nil trains none.
  public var adapters: AdapterSettings?
  /// Whether to train only the start states.
  public var tunesStartStates = false

  /// The settings of a run.
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

/// The result of one step.
public struct StepReport: Sendable, Equatable {
  /// The number of the step, counted from 1.
  public var step: Int
  /// The weighted mean loss in nats over the rows that count; not finite if the step was skipped.
  public var loss: Double
  /// The global norm of the gradients before clipping.
  public var gradientNorm: Double
  /// The learning rate of the step.
  public var learningRate: Double
  /// The number of rows that counted in the loss, and the number of all rows.
  public var countedRows, rows: Int
  /// The number of completed epochs.
  public var epoch: Int
  /// Whether the step was skipped because the loss was not finite.
  public var isSkipped: Bool
}
