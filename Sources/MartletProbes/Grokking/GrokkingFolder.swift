import Foundation
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// A grokking run in a folder, which is laid out like that of any training run:
///
///     run.json          what the run was asked to do
///     metrics.jsonl     one line an evaluation; at the end the progress measures and spectra
///     report.html       curves
///     checkpoints/      the latest moments
///     snapshots/        earlier parameters, for the progress measures
///
/// The progress measures need the key frequencies of the finished model, so their lines are written last. They are no
/// part of a checkpoint: a run that is resumed writes them again.
public final class GrokkingFolder {
  /// An event of the run, for progress display.
  public enum Event {
    /// The run was resumed after a step.
    case resumed(step: Int)
    /// Accuracy and loss were evaluated.
    case evaluation(GrokkingPoint, stepsPerSecond: Double)
    /// A checkpoint was written.
    case checkpoint(step: Int)
  }

  /// Why a run ended.
  public enum Ending: String, Sendable, Codable {
    /// The test accuracy reached the target.
    case target
    /// All steps were made.
    case steps
    /// The loss was not a finite number.
    case diverged
    /// It was asked to end, and can be resumed.
    case interrupted
  }

  /// The path of the folder.
  public var path: String { files.path }
  /// The run with the current model.
  public private(set) var run: GrokkingRun
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { files.damagedCheckpoints }
  private var files: RunFolder
  private var seconds = 0.0
  private let takesSnapshots: Bool
  private let keptCheckpoints: Int

  /// Begins a run, or resumes the run in a folder from its latest readable checkpoint.
  ///
  /// - Parameters:
  ///   - path: the folder of the run.
  ///   - settings: the settings; those of a resumed run may differ from before in ``GrokkingSettings/steps`` and
  ///     ``GrokkingSettings/target`` only.
  ///   - description: what `run.json` says beside the settings.
  ///   - resuming: whether to resume the run in the folder.
  ///   - takesSnapshots: whether parameters are kept for the progress measures, about eighty times; without them, the
  ///     measures are those of the finished model alone.
  ///   - keptCheckpoints: how many of the latest checkpoints are kept.
  /// - Throws: ``ProbeError`` for settings that cannot be, or others than the run in the folder has; `FileError` where
  ///   the folder cannot be read or written.
  public init(
    _ path: String, settings: GrokkingSettings, description: [String: Any] = [:], resuming: Bool = false,
    takesSnapshots: Bool = true, keptCheckpoints: Int = 2
  ) throws {
    var run = try GrokkingRun(settings)
    self.takesSnapshots = takesSnapshots
    self.keptCheckpoints = keptCheckpoints
    if resuming, let earlier = try Self.settings(of: path), !settings.continues(earlier) {
      throw ProbeError("\(path) was started with other settings; resume it with its own, or choose another folder")
    }
    var description = description
    description["settings"] = try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings))
    files = try RunFolder(path, description: description, resuming: resuming)
    var metricsByteCount = 0
    if resuming, let state = try files.latest({ try Self.restore(&run, from: $0) }) {
      metricsByteCount = state.metricsByteCount
      seconds = state.seconds
    }
    guard run.step <= settings.steps else {
      throw ProbeError(
        "the run in \(path) has made \(run.step) steps already, so it cannot end after \(settings.steps); ask for more steps"
      )
    }
    self.run = run
    try files.begin(keeping: resuming ? metricsByteCount : nil)
  }

  /// Whether a version of Martlet before run folders wrote what is in a folder.
  public static func isOfEarlierVersion(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/state.json")
      && !FileManager.default.fileExists(atPath: path + "/run.json")
  }

  /// The settings that a folder's `run.json` has; nil where there is none.
  /// - Throws: `FileError` where it cannot be read.
  static func settings(of path: String) throws -> GrokkingSettings? {
    let file = path + "/run.json"
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    struct Record: Decodable { var settings: GrokkingSettings }
    guard let record = try? JSONDecoder.snakeCase.decode(Record.self, from: data) else {
      throw FileError(
        file: file, "it lacks the settings of a grokking run or is damaged; start a new run in another folder")
    }
    return record.settings
  }

  /// The mean processor time of a step, as the latest checkpoint has it; nil where there is none.
  static func secondsPerStep(_ path: String) -> Double? {
    let checkpoints = path + "/checkpoints"
    guard let step = try? RunCheckpoint.steps(in: checkpoints).last,
      let state = try? RunCheckpoint.state(GrokkingState.self, in: checkpoints + "/" + RunCheckpoint.name(step)),
      state.isPossible, state.step > 0
    else { return nil }
    return state.seconds / Double(state.step)
  }

  private static func restore(_ run: inout GrokkingRun, from folder: String) throws -> GrokkingState {
    let state = try RunCheckpoint.state(GrokkingState.self, in: folder)
    guard state.isPossible else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let wanted = run.model.parameters.map { (name: $0.name, shape: $0.value.shape) }
    let (parameters, optimizer) = try RunCheckpoint.tensors(
      in: folder, wanted, settings: run.optimizer.settings, optimizerStep: state.optimizerStep)
    let hasMeans = run.settings.grokfastAmplification > 0 && state.step > 0
    run.restore(
      parameters: parameters, optimizer: optimizer,
      means: hasMeans ? try RunCheckpoint.moments("mean", in: folder, wanted) : [], step: state.step,
      points: state.points)
    return state
  }

  /// Runs to the target, to the last step, or until `isInterrupted` returns true; a checkpoint is written in each case.
  /// A run that diverges ends at the evaluation that shows it, without a checkpoint.
  ///
  /// - Parameters:
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - report: a callback that is called with every event of the run.
  /// - Throws: `FileError` where the folder cannot be written.
  public func run(isInterrupted: () -> Bool, report: (Event) -> Void) throws -> Ending {
    let settings = run.settings, started = Date(), first = run.step
    let checkpointInterval = settings.snapshotInterval
    if run.step > 0 { report(.resumed(step: run.step)) }
    if run.points.isEmpty { try evaluate() }
    while !run.isFinished {
      if isInterrupted() {
        try save()
        report(.checkpoint(step: run.step))
        try close(.interrupted)
        return .interrupted
      }
      let before = Self.processorTime()
      run.train()
      seconds += Self.processorTime() - before
      guard run.step % settings.interval == 0 || run.step == settings.steps else { continue }
      try evaluate()
      if let point = run.points.last {
        report(.evaluation(point, stepsPerSecond: Double(run.step - first) / Date().timeIntervalSince(started)))
      }
      if run.step % checkpointInterval == 0, !run.isFinished {
        if takesSnapshots { try snapshot() }
        try save()
        report(.checkpoint(step: run.step))
      }
    }
    if run.hasDiverged {
      try close(.diverged)
      return .diverged
    }
    try save()
    report(.checkpoint(step: run.step))
    let ending = (run.points.last?.testAccuracy ?? 0) >= settings.target ? Ending.target : .steps
    try close(ending)
    return ending
  }

  private func evaluate() throws {
    run.evaluate()
    if let point = run.points.last { try files.append(try point.metrics) }
  }

  private func save() throws {
    try files.synchronize()
    let parameters = run.model.parameters
    try files.save(
      step: run.step, parameters: parameters, optimizer: run.optimizer,
      moments: zip(parameters, run.means).map { ("mean/" + $0.name, $1) },
      state: GrokkingState(
        step: run.step, optimizerStep: run.optimizer.step, points: run.points,
        metricsByteCount: files.metricsByteCount, seconds: seconds),
      kept: keptCheckpoints, best: nil)
  }

  // MARK: Progress measures

  private var snapshots: String { path + "/snapshots" }

  private func snapshot() throws {
    try OutputTarget.makeFolder(snapshots)
    try TensorFile.write(run.model.parameters, to: snapshots + String(format: "/%07d.safetensors", run.step))
  }

  /// Writes what only the end shows, and the page.
  private func close(_ ending: Ending) throws {
    let spectrum = run.model.unembeddingSpectrum, keys = spectrum.keyFrequencies
    if [.add, .subtract].contains(run.settings.operation), !keys.isEmpty {
      for measured in try earlierMeasures(keys) + [run.model.progress(step: run.step, task: run.task, keys: keys)] {
        try files.append(try measured.metrics)
      }
    }
    var line: [String: Any] = [
      "step": run.step, "ending": ending.rawValue, "key_frequencies": keys,
      "embedding_spectrum": run.model.embeddingSpectrum.energy, "unembedding_spectrum": spectrum.energy,
    ]
    line["memorised_at"] = run.memorisedAt
    line["generalised_at"] = run.generalisedAt
    try files.append(line)
    try files.synchronize()
    try files.writeReport(.grokking(run.settings))
  }

  private func earlierMeasures(_ keys: [Int]) throws -> [ProgressMeasures] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: snapshots)) ?? []
    return try names.filter { $0.hasSuffix(".safetensors") }.sorted().compactMap { name in
      guard let step = Int(name.dropLast(".safetensors".count)), step < run.step else { return nil }
      let parameters = try TensorFile.read(
        snapshots + "/" + name, run.model.parameters.map { ($0.name, $0.value.shape) })
      return run.model.replacingParameters(parameters).progress(step: step, task: run.task, keys: keys)
    }
  }

  /// Processor time of this thread in seconds: what other programs on the machine take does not count.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
