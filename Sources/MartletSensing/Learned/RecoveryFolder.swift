import Foundation
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

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

  /// What a checkpoint remembers beside parameters and moments.
  struct State: Codable {
    var step, metricsByteCount: Int
    /// Processor time of the steps.
    var seconds: Double
    /// The sum of the losses since the last line of the metrics, and their number.
    var lossSum: Double
    var lossCount: Int
    var settings: RecoverySettings
  }

  /// The path of the folder.
  public var path: String { files.path }
  /// The finished model.
  public var modelPath: String { path + "/model.safetensors" }
  /// The run with the current model.
  public private(set) var run: RecoveryRun
  /// The processor time of all steps, in seconds.
  public private(set) var seconds = 0.0
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { files.damagedCheckpoints }
  private var files: RunFolder
  private var lossSum = 0.0, lossCount = 0
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
    var run = try RecoveryRun(settings)
    self.data = data
    files = try RunFolder(path, description: description, resuming: resuming)
    let state = resuming ? try files.latest { try Self.restore(&run, from: $0) } : nil
    self.run = run
    if let state { (seconds, lossSum, lossCount) = (state.seconds, state.lossSum, state.lossCount) }
    try files.begin(keeping: resuming ? state?.metricsByteCount ?? 0 : nil)
  }

  private static func restore(_ run: inout RecoveryRun, from folder: String) throws -> State {
    let state = try RunCheckpoint.state(State.self, in: folder)
    guard state.settings == run.settings else {
      throw SensingError(
        "\(folder) was made with other settings; resume the run with its own, or choose another folder.")
    }
    guard (0...run.settings.steps).contains(state.step), state.metricsByteCount >= 0, state.seconds.isFinite,
      state.lossCount >= 0
    else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let model = run.model
    let everything = model.parameters.map { (name: $0.name, shape: $0.value.shape) }
    let trained = everything.filter { model.isTrained($0.name) }
    let parameters = try TensorFile.read(folder + "/parameters.safetensors", everything)
    let (_, optimizer) = try RunCheckpoint.tensors(
      in: folder, trained, settings: run.optimizer.settings, optimizerStep: state.step)
    run.restore(parameters: parameters, optimizer: optimizer, step: state.step)
    return state
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
    for images in [training, heldOut] {
      guard images.count > 0, images.height == settings.height, images.width == settings.width else {
        throw SensingError(
          "There are \(images.count) images of \(images.height) x \(images.width) pixels where the model takes \(settings.height) x "
            + "\(settings.width): give images of one size for training and testing.")
      }
    }
    let interval = max(1, settings.steps / 20), some = heldOut[0..<(settings.method == .csgm ? 8 : 500)]
    if run.step > 0 { report(.resumed(step: run.step)) }
    while !run.isFinished {
      if isInterrupted() {
        try save()
        try close()
        return .interrupted
      }
      let before = ProcessorTime.seconds
      lossSum += run.train(on: training.signals)
      lossCount += 1
      seconds += ProcessorTime.seconds - before
      guard lossSum.isFinite else {
        try close()
        return .diverged
      }
      guard run.step % interval == 0 || run.isFinished else { continue }
      let quality = run.evaluate(some), loss = lossSum / Double(lossCount)
      (lossSum, lossCount) = (0, 0)
      try files.append([
        "step": run.step, "loss": loss, "l2": quality.l2, "psnr": quality.psnr, "ssim": quality.ssim,
        "seconds": seconds,
      ])
      report(.evaluation(step: run.step, loss: loss, quality: quality))
      try save()
    }
    try save()
    try RecoveryFile.write(run.model, settings: settings, data: data, to: modelPath, replaces: true)
    try close()
    return .steps
  }

  private func save() throws {
    try files.synchronize()
    // Parameters that are not trained come last, as the moments are those of the first.
    let model = run.model, parameters = model.parameters
    let ordered = parameters.filter { model.isTrained($0.name) } + parameters.filter { !model.isTrained($0.name) }
    try files.save(
      step: run.step, parameters: ordered, optimizer: run.optimizer,
      state: State(
        step: run.step, metricsByteCount: files.metricsByteCount, seconds: seconds, lossSum: lossSum,
        lossCount: lossCount, settings: run.settings),
      kept: 2, best: nil)
  }

  private func close() throws {
    try files.synchronize()
    try files.writeReport(.recovery(run.settings))
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
