import Foundation
import MartletData
import MartletOptimization

/// Training of a learned method in a folder, which is laid out like that of any training run:
///
///     run.json            what the run was asked to do
///     metrics.jsonl       one line an interval: the loss and how well held-out images are recovered
///     report.html         curves
///     checkpoints/        the latest moments
///     model.safetensors   the finished model (see ``RecoveryFile``)
public final class RecoveryFolder {
  /// An event of the run, for progress display.
  public enum Event {
    /// The run was resumed after a step.
    case resumed(step: Int)
    /// The mean loss since the last event, and the quality on some held-out images.
    case evaluation(step: Int, loss: Double, quality: RecoveryQuality)
  }

  /// Why a run ended.
  public enum Ending: String, Sendable, Codable {
    /// All steps were made.
    case steps
    /// The loss was not a finite number.
    case diverged
    /// It was asked to end, and can be resumed.
    case interrupted
  }

  /// The path of the folder.
  public var path: String { folder.files.path }
  /// The finished model.
  public var modelPath: String { path + "/model.safetensors" }
  /// The run with the current model.
  public var run: RecoveryRun { folder.run }
  /// The processor time of all steps, in seconds.
  public var seconds: Double { folder.seconds }
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { folder.files.damagedCheckpoints }
  private let folder: TrainingFolder<RecoveryRun>
  private let data: String

  /// Begins a run, or resumes the run in a folder from its latest readable checkpoint.
  /// - Parameters:
  ///   - path: the folder of the run.
  ///   - settings: the settings; a run that is resumed must have those it began with.
  ///   - data: one sentence on the images, which the model file keeps.
  ///   - description: what `run.json` says.
  ///   - resuming: whether to resume the run in the folder.
  /// - Throws: ``SensingError`` for settings that cannot be or are not those of the run; `FileError` where the folder cannot be read or
  ///   written.
  public init(
    _ path: String, settings: RecoverySettings, data: String, description: [String: Any] = [:], resuming: Bool = false
  ) throws {
    self.data = data
    folder = try TrainingFolder(path, settings: settings, description: description, resuming: resuming)
  }

  /// Whether a model can be trained on images; asked before a folder is begun, so that none is left where it cannot.
  /// - Parameters:
  ///   - training: the images that are learnt from.
  ///   - heldOut: the images that are evaluated on.
  ///   - settings: the settings of the model.
  /// - Throws: ``SensingError`` for none, or for images of another size.
  public static func check(training: ImageSet, heldOut: ImageSet, settings: RecoverySettings) throws {
    guard training.count > 0, heldOut.count > 0 else {
      throw SensingError(
        "There are \(training.count) images to learn from and \(heldOut.count) to test on: give more images, or others for testing."
      )
    }
    for images in [training, heldOut] where (images.height, images.width) != (settings.height, settings.width) {
      throw SensingError(
        "There are images of \(images.height) x \(images.width) pixels where the model takes \(settings.height) x \(settings.width): "
          + "give images of one size for training and testing.")
    }
  }

  /// Runs to the last step, or until `isInterrupted` returns true; a checkpoint is written in each case. A finished model is written as
  /// `model.safetensors`.
  ///
  /// - Parameters:
  ///   - training: the images that are learnt from.
  ///   - heldOut: the images that are evaluated on; during training the first five hundred of them, or eight for CSGM, which is slow.
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - report: is called with every event of the run.
  /// - Throws: ``SensingError`` for images of another size; `FileError` where the folder cannot be written.
  public func run(
    training: ImageSet, heldOut: ImageSet, isInterrupted: () -> Bool, report: (Event) -> Void
  ) throws -> Ending {
    let settings = run.settings
    try Self.check(training: training, heldOut: heldOut, settings: settings)
    let some = heldOut[0..<(settings.method == .csgm ? 8 : 500)]
    if run.step > 0 { report(.resumed(step: run.step)) }
    let (data, modelPath) = (data, modelPath)
    return try folder.run(
      isInterrupted: isInterrupted, train: { [$0.train(on: training.signals)] },
      measure: { run, losses, seconds in
        let quality = run.evaluate(some)
        report(.evaluation(step: run.step, loss: losses[0], quality: quality))
        return [
          "step": run.step, "loss": losses[0], "l2": quality.l2, "psnr": quality.psnr, "ssim": quality.ssim,
          "seconds": seconds,
        ]
      },
      finish: { try RecoveryFile.write($0.model, settings: settings, data: data, to: modelPath, replaces: true) },
      report: .recovery(settings))
  }
}

extension RunReport {
  /// The page of a run that trains a learned method.
  static func recovery(_ settings: RecoverySettings) -> RunReport {
    RunReport(
      title: "Recovering images from \(settings.measurements) measurements (\(settings.method.rawValue)), run",
      charts: [
        Chart("Error ||x' - x|| of held-out images", [Curve("L2", "l2", color: "#1f5fbf")]),
        Chart("Peak signal-to-noise ratio in dB", [Curve("PSNR", "psnr", color: "#2e8b57")]),
        Chart("Loss", [Curve("loss", "loss", color: "#d2691e")], isLogarithmicY: true),
      ]
    ) { metrics in
      let last = metrics.lines.last
      let l2 = last?["l2"]?.number.map { String(format: "%.3f", $0) } ?? "not yet known"
      return """
        \(settings.measurements) of \(settings.signal) values (\(settings.measurement.rawValue)), seed \(settings.seed). \
        L2 of held-out images after \(last?["step"]?.integer ?? 0) of \(settings.steps) steps: \(l2).
        """
    }
  }
}
