import Foundation
import MartletData
import MartletModels
import MartletTensor

/// A run in a folder:
///
///     run.json          what the run was asked to do
///     metrics.jsonl     one line a step, and one a validation
///     report.html       curves
///     checkpoints/      the latest moments, and the best
///     model.safetensors the result (or adapter_model.safetensors)
///     best/             the same, as it was when the validation loss was lowest
public final class TrainingRun {
  /// What happens, for whoever shows it.
  public enum Event {
    case step(StepReport, rowsPerSecond: Double, secondsLeft: Double)
    case validation(step: Int, loss: Double, isBest: Bool)
    case checkpoint(step: Int)
    case resumed(step: Int)
    /// The validation loss has not improved for long.
    case stoppedEarly(step: Int)
  }

  public let folder: String
  public private(set) var trainer: Trainer
  private let training: TrainingData
  private let fingerprint: String
  /// Checkpoints that cannot be read, passed over for an earlier one; each is now called `.damaged`.
  public private(set) var damagedCheckpoints: [String] = []
  private var metrics: AppendedFile
  private var bestLoss: Double?
  private var bestStep: Int?
  private var validationsWithoutGain = 0
  private var secondsBefore = 0.0

  private var checkpoints: String { folder + "/checkpoints" }

  /// Begins a run, or goes on with the one in `folder` from its latest checkpoint that can be read.
  ///
  /// - Parameter description: for `run.json`: everything that was asked for, and what it was done with.
  public init(
    folder: String, trainer: Trainer, training: TrainingData, description: [String: Any], resuming: Bool
  ) throws {
    self.folder = folder
    self.training = training
    self.trainer = trainer
    fingerprint = training.fingerprint
    let files = FileManager.default
    try OutputTarget.makeFolder(folder + "/checkpoints")
    if !resuming { try writeJSON(description, to: folder + "/run.json") }
    // Whole until it is known how much of it the checkpoint has seen.
    metrics = try AppendedFile(path: folder + "/metrics.jsonl", keeping: resuming ? .max : 0)
    // What a crash left half done.
    for name in (try? files.contentsOfDirectory(atPath: checkpoints)) ?? [] where name.hasSuffix(".part") {
      try? files.removeItem(atPath: checkpoints + "/" + name)
    }
    var metricsByteCount = 0
    if resuming, let state = try restoreLatest() {
      metricsByteCount = state.metricsByteCount
      bestLoss = state.bestLoss
      bestStep = state.bestStep
      validationsWithoutGain = state.validationsWithoutGain
      secondsBefore = state.seconds
    }
    guard self.trainer.step <= trainer.settings.steps else {
      throw TrainingError(
        "the run in \(folder) has made \(self.trainer.step) steps already, so it cannot end after \(trainer.settings.steps); ask for more steps than it has made"
      )
    }
    // Steps after the checkpoint will be made again.
    metrics = try AppendedFile(path: folder + "/metrics.jsonl", keeping: metricsByteCount)
    if resuming { try writeJSON(description, to: folder + "/run.json") }
  }

  /// Goes back to the latest checkpoint that can be read; nil where there is none at all.
  /// - Throws: why the latest cannot be read, where no other can either.
  private func restoreLatest() throws -> TrainingCheckpoint.State? {
    var problem: (any Error)?
    for step in try TrainingCheckpoint.steps(in: checkpoints).reversed() {
      let path = checkpoints + "/" + TrainingCheckpoint.name(step)
      do {
        let state = try TrainingCheckpoint.restore(
          &trainer, from: path, training: training, fingerprint: fingerprint)
        // A step that is made again writes its checkpoint again.
        for path in damagedCheckpoints where rename(path, path + ".damaged") != 0 {
          throw OutputTarget.failure(path, errno)
        }
        return state
      } catch {
        problem = problem ?? error
        damagedCheckpoints.append(path)
      }
    }
    if let problem { throw problem }
    return nil
  }

  /// Runs to the end, to an early stop, or until `isInterrupted` says so; a checkpoint is written in each case.
  ///
  /// - Parameter writeBest: hears of each best validation loss, and may write the model of that moment.
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
        try writeReport()
        return false
      }
      let step = try trainer.train()
      rows += step.rows
      done += 1
      let seconds = Date().timeIntervalSince(started)
      try write([
        "step": step.step, "loss": finite(step.loss), "gradient_norm": finite(step.gradientNorm),
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
        try write(["step": trainer.step, "validation_loss": finite(loss)])
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
        try writeReport()
      }
      if settings.checkpointInterval > 0 && trainer.step % settings.checkpointInterval == 0 || isLast || isStopped {
        try save(started)
        report(.checkpoint(step: trainer.step))
      }
    }
    try writeReport()
    return true
  }

  private func finite(_ value: Double) -> Any { value.isFinite ? value : "\(value)" }

  private func write(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) + Data("\n".utf8)
    try metrics.append(data)
  }

  private func save(_ started: Date) throws {
    try metrics.synchronize()
    try TrainingCheckpoint.write(
      trainer,
      state: .init(
        step: trainer.step, optimizerStep: trainer.optimizer.step, countedRows: trainer.countedRows,
        position: trainer.sampler.position, metricsByteCount: metrics.byteCount, bestLoss: bestLoss, bestStep: bestStep,
        validationsWithoutGain: validationsWithoutGain,
        seconds: secondsBefore + Date().timeIntervalSince(started), data: fingerprint), to: checkpoints)
    let steps = try TrainingCheckpoint.steps(in: checkpoints)
    for step in steps.dropLast(max(1, trainer.settings.keptCheckpoints)) where step != bestStep {
      TrainingCheckpoint.remove(step, from: checkpoints)
    }
  }

  private func writeReport() throws {
    try RunReport(folder: folder).write()
  }
}
