import MartletData
import MartletOptimization
import MartletTensor

/// A run of training that a ``TrainingFolder`` keeps.
protocol FolderRun {
  associatedtype Settings: Codable, Equatable
  /// A run before its first step.
  init(_ settings: Settings) throws
  var settings: Settings { get }
  /// The number of steps made, and of all.
  var step: Int { get }
  var stepCount: Int { get }
  var isFinished: Bool { get }
  /// What a checkpoint keeps: the trained parameters first, in the order of the optimiser's moments, then everything else.
  var tensors: [(name: String, value: Tensor)] { get }
  var trainedCount: Int { get }
  var optimizer: Optimizer { get }
  /// Goes on where a checkpoint stood; `tensors` has the order of ``tensors``.
  mutating func restore(tensors: [Tensor], optimizer: Optimizer, step: Int)
}

/// What the folders of all runs of sensing do alike: begin or resume, make steps, write metrics and checkpoints.
final class TrainingFolder<Run: FolderRun> {
  /// What a checkpoint remembers beside parameters and moments.
  private struct State: Codable {
    var step, metricsByteCount: Int
    /// Processor time of the steps.
    var seconds: Double
    /// The sums of the losses since the last line of the metrics, and their number.
    var lossSums: [Double]
    var lossCount: Int
    var settings: Run.Settings
  }

  private(set) var files: RunFolder
  private(set) var run: Run
  /// The processor time of all steps, in seconds.
  private(set) var seconds = 0.0
  private var lossSums: [Double] = [], lossCount = 0

  /// Begins a run, or resumes the run in a folder from its latest readable checkpoint.
  /// - Throws: ``SensingError`` for settings that cannot be or are not those of the run; `FileError` where the folder cannot be read or
  ///   written.
  init(_ path: String, settings: Run.Settings, description: [String: Any], resuming: Bool) throws {
    var run = try Run(settings)
    files = try RunFolder(path, description: description, resuming: resuming)
    let state = resuming ? try files.latest { try Self.restore(&run, from: $0) } : nil
    self.run = run
    if let state { (seconds, lossSums, lossCount) = (state.seconds, state.lossSums, state.lossCount) }
    try files.begin(keeping: resuming ? state?.metricsByteCount ?? 0 : nil)
  }

  private static func restore(_ run: inout Run, from folder: String) throws -> State {
    let state = try RunCheckpoint.state(State.self, in: folder)
    guard state.settings == run.settings else {
      throw SensingError(
        "\(folder) was made with other settings; resume the run with its own, or choose another folder.")
    }
    guard (0...run.stepCount).contains(state.step), state.metricsByteCount >= 0, state.seconds.isFinite,
      state.lossCount >= 0
    else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let expected = run.tensors.map { (name: $0.name, shape: $0.value.shape) }
    let tensors = try TensorFile.read(folder + "/parameters.safetensors", expected)
    let (_, optimizer) = try RunCheckpoint.tensors(
      in: folder, Array(expected[..<run.trainedCount]), settings: run.optimizer.settings, optimizerStep: state.step)
    run.restore(tensors: tensors, optimizer: optimizer, step: state.step)
    return state
  }

  /// Runs to the last step, or until `isInterrupted` returns true; a checkpoint is written in each case.
  ///
  /// - Parameters:
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - train: makes one step, and returns its losses.
  ///   - measure: called twenty times a run with the run, the mean losses since the last time, and the seconds; returns the line of the metrics.
  ///   - finish: called with the finished run, before the report is written.
  ///   - report: the page.
  func run(
    isInterrupted: () -> Bool, train: (inout Run) -> [Double],
    measure: (_ run: Run, _ losses: [Double], _ seconds: Double) throws -> [String: Any],
    finish: (Run) throws -> Void, report: RunReport
  ) throws -> RecoveryFolder.Ending {
    let interval = max(1, run.stepCount / 20)
    while !run.isFinished {
      if isInterrupted() {
        try save()
        try close(report)
        return .interrupted
      }
      let before = ProcessorTime.seconds
      let losses = train(&run)
      seconds += ProcessorTime.seconds - before
      lossSums = lossSums.isEmpty ? losses : zip(lossSums, losses).map(+)
      lossCount += 1
      guard lossSums.allSatisfy(\.isFinite) else {
        try close(report)
        return .diverged
      }
      guard run.step % interval == 0 || run.isFinished else { continue }
      let means = lossSums.map { $0 / Double(lossCount) }
      (lossSums, lossCount) = ([], 0)
      try files.append(measure(run, means, seconds))
      try save()
    }
    try save()
    try finish(run)
    try close(report)
    return .steps
  }

  private func save() throws {
    try files.synchronize()
    try files.save(
      step: run.step, parameters: run.tensors, optimizer: run.optimizer,
      state: State(
        step: run.step, metricsByteCount: files.metricsByteCount, seconds: seconds, lossSums: lossSums,
        lossCount: lossCount, settings: run.settings),
      kept: 2, best: nil)
  }

  private func close(_ report: RunReport) throws {
    try files.synchronize()
    try files.writeReport(report)
  }
}
