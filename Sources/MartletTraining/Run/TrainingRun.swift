import Foundation
import MartletData
import MartletOptimization
import MartletTensor

/// A training run in a folder:
///
///     run.json          what the run was asked to do
///     metrics.jsonl     one line a step, and one a validation
///     report.html       curves
///     checkpoints/      the latest moments, and the best
///     model.safetensors the result (or adapter_model.safetensors)
///     best/             the same, as it was when the validation loss was lowest
public final class TrainingRun {
  /// An event of the run, for progress display.
  public enum Event {
    /// A step was made.
    case step(StepReport, rowsPerSecond: Double, secondsLeft: Double)
    /// The validation data was scored.
    case validation(step: Int, loss: Double, isBest: Bool)
    /// A checkpoint was written.
    case checkpoint(step: Int)
    /// The run was resumed after a step.
    case resumed(step: Int)
    /// The run ended early because the validation loss has not improved for long.
    case stoppedEarly(step: Int)
  }

  /// The path of the folder.
  public var folder: String { files.path }
  /// The trainer with the current model.
  public private(set) var trainer: Trainer
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { files.damagedCheckpoints }
  private var files: RunFolder
  private let fingerprint: String
  private var bestLoss: Double?
  private var bestStep: Int?
  private var validationsWithoutGain = 0
  private var secondsBefore = 0.0

  /// Begins a run, or resumes the run in `folder` from its latest readable checkpoint.
  ///
  /// - Parameters:
  ///   - folder: the folder of the run.
  ///   - trainer: the trainer before its first step.
  ///   - training: the training data of the trainer.
  ///   - description: the contents of `run.json`: all options, and the environment.
  ///   - resuming: whether to resume the run in the folder.
  public init(
    folder: String, trainer: Trainer, training: TrainingData, description: [String: Any], resuming: Bool
  ) throws {
    let fingerprint = training.fingerprint
    self.fingerprint = fingerprint
    files = try RunFolder(folder, description: description, resuming: resuming)
    var restored = trainer
    var metricsByteCount = 0
    if resuming,
      let state = try files.latest({ try Self.restore(&restored, from: $0, training: training, fingerprint) })
    {
      metricsByteCount = state.metricsByteCount
      bestLoss = state.bestLoss
      bestStep = state.bestStep
      validationsWithoutGain = state.validationsWithoutGain
      secondsBefore = state.seconds
    }
    self.trainer = restored
    guard restored.step <= trainer.settings.steps else {
      throw TrainingError(
        "the run in \(folder) has made \(restored.step) steps already, so it cannot end after \(trainer.settings.steps); ask for more steps"
      )
    }
    try files.begin(keeping: resuming ? metricsByteCount : nil)
  }

  /// Puts a trainer where a checkpoint stood. Other examples than those that the checkpoint was made with are dealt from
  /// the beginning.
  private static func restore(
    _ trainer: inout Trainer, from folder: String, training: TrainingData, _ fingerprint: String
  ) throws -> TrainingState {
    var state = try RunCheckpoint.state(TrainingState.self, in: folder)
    if state.data != fingerprint, (0..<1 << 48).contains(state.position.epoch) {
      state.position.epoch += 1
      state.position.dealt = 0
    }
    guard state.fits(groups: training.groups.count) else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let (parameters, optimizer) = try RunCheckpoint.tensors(
      in: folder, trainer.trainedParameters.map { (name: $0.name, shape: $0.value.shape) },
      settings: trainer.settings.optimizer, optimizerStep: state.optimizerStep)
    trainer.restore(
      parameters: parameters, optimizer: optimizer, step: state.step, countedRows: state.countedRows,
      position: state.position, training: training)
    return state
  }

  /// Runs to the end, to an early stop, or until `isInterrupted` returns true. A checkpoint is written in each case.
  ///
  /// - Parameters:
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - writeBest: a callback that is called at each new best validation loss and may write the current model.
  ///   - report: a callback that is called with every event of the run.
  /// - Returns: whether the run is complete.
  public func run(
    isInterrupted: () -> Bool, writeBest: (Trainer) throws -> Void = { _ in }, report: (Event) -> Void
  ) throws -> Bool {
    let settings = trainer.settings, started = Date()
    var rows = 0, done = 0
    if trainer.step > 0 { report(.resumed(step: trainer.step)) }
    var isStopped = false
    while trainer.step < settings.steps, !isStopped {
      if isInterrupted() {
        try save(started)
        report(.checkpoint(step: trainer.step))
        try files.writeReport()
        return false
      }
      let step = try trainer.train()
      rows += step.rows
      done += 1
      let seconds = Date().timeIntervalSince(started)
      try files.append([
        "step": step.step, "loss": step.loss, "gradient_norm": step.gradientNorm,
        "learning_rate": step.learningRate, "rows": step.rows, "counted_rows": step.countedRows, "epoch": step.epoch,
        "skipped": step.isSkipped,
      ])
      report(
        .step(
          step, rowsPerSecond: Double(rows) / seconds,
          secondsLeft: Double(settings.steps - trainer.step) * seconds / Double(done)))
      let isLast = trainer.step == settings.steps
      if settings.validationInterval > 0, trainer.step % settings.validationInterval == 0 || isLast,
        let loss = trainer.validate()
      {
        // A loss that is no finite number is never the best.
        let isBest = loss.isFinite && (bestLoss.map { loss < $0 } ?? true)
        try files.append(["step": trainer.step, "validation_loss": loss])
        validationsWithoutGain = isBest ? 0 : validationsWithoutGain + 1
        if isBest {
          (bestLoss, bestStep) = (loss, trainer.step)
          try writeBest(trainer)
        }
        report(.validation(step: trainer.step, loss: loss, isBest: isBest))
        if let patience = settings.patience, validationsWithoutGain >= patience {
          report(.stoppedEarly(step: trainer.step))
          isStopped = true
        }
        try files.writeReport()
      }
      if settings.checkpointInterval > 0 && trainer.step % settings.checkpointInterval == 0 || isLast || isStopped {
        try save(started)
        report(.checkpoint(step: trainer.step))
      }
    }
    try files.writeReport()
    return true
  }

  private func save(_ started: Date) throws {
    try files.synchronize()
    try files.save(
      step: trainer.step, parameters: trainer.trainedParameters, optimizer: trainer.optimizer,
      state: TrainingState(
        step: trainer.step, optimizerStep: trainer.optimizer.step, countedRows: trainer.countedRows,
        position: trainer.sampler.position, metricsByteCount: files.metricsByteCount, bestLoss: bestLoss,
        bestStep: bestStep, validationsWithoutGain: validationsWithoutGain,
        seconds: secondsBefore + Date().timeIntervalSince(started), data: fingerprint),
      kept: trainer.settings.keptCheckpoints, best: bestStep)
  }
}
