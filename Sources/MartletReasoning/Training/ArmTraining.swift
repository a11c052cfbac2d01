import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTraining

/// One run of an arm: a student that learns the arm's examples with one seed, in a folder that is resumed after any end.
///
///     runs/thoughts-seed-1/training.json            what was done, written last
///     runs/thoughts-seed-1/adapter_model.safetensors    the result, or model.safetensors where all parameters are trained
///     runs/thoughts-seed-1/metrics.jsonl, report.html, checkpoints/
public struct ArmTraining: Sendable {
  /// The model that is taught.
  public var student: StudentSettings
  /// What is trained.
  public var arm: ArmSettings
  /// The seed of the run: of initial adapters and of the order of examples.
  public var seed: Int
  /// The seed of the recipe, which draws the questions of a share.
  public var recipeSeed: Int
  /// The folder of the run.
  public var folder: String
  /// The folder of the run whose result training starts from; nil for the student as it is.
  public var start: String?

  /// A run of an arm.
  public init(
    _ arm: ArmSettings, student: StudentSettings, seed: Int, recipeSeed: Int = 1, folder: String, start: String? = nil
  ) {
    self.arm = arm
    self.student = student
    self.seed = seed
    self.recipeSeed = recipeSeed
    self.folder = folder
    self.start = start
  }

  /// Trains, or goes on where the folder's run has ended; a run that is complete is not repeated.
  ///
  /// - Parameters:
  ///   - rows: what is learnt from.
  ///   - isInterrupted: asked before each step; true saves and ends.
  ///   - report: called with each event.
  /// - Returns: what was done; nil where it was interrupted.
  /// - Throws: ``TeachingError`` where the folder holds another run or there is nothing to learn, and what loading and training throw.
  public func run(
    _ rows: [TeachingRow], isInterrupted: () -> Bool = { false }, report: (TrainingRun.Event) -> Void = { _ in }
  ) throws -> ArmTrainingResult? {
    let digest = try ArmTrainingResult.digest(
      rows, arm: arm, student: student, seed: seed, recipeSeed: recipeSeed, start: start)
    if let done = try ArmTrainingResult.read(folder) {
      guard done.digest == digest else { throw ArmTrainingResult.otherRun(folder) }
      return done
    }
    let parts = try StudentParts(student, isFull: arm.rank == 0, start: start)
    let examples = try ArmExamples(
      rows, arm: arm, prompt: StudentPrompt(parts.loaded, isChat: student.isChat), seed: recipeSeed)
    var model = parts.model
    var settings = settings(examples)
    if arm.rank == 0 {
      if let problem = model.exportProblem {
        throw ModelError("\(student.model): \(problem); train adapters, with a \"rank\" above 0")
      }
      settings.logitPenalty = model.description.defaults.logitPenalty
    } else if let adapter = parts.adapter, let start {
      settings.adapters = try AdapterSettings(continuing: adapter, in: &model, dropout: 0, path: start)
    } else {
      let adapters = AdapterSettings(rank: arm.rank, alpha: 2 * Double(arm.rank))
      settings.adapters = adapters
      try adapters.attach(to: &model, random: RandomSource(seed: settings.seed).stream("adapters"))
    }
    let isResumed = FileManager.default.fileExists(atPath: folder + "/run.json")
    if isResumed { try ArmTrainingResult.check(folder, digest) }
    let trainer = try Trainer(
      model, settings: settings, training: examples.data, validation: TrainingData())
    let run = try TrainingRun(
      folder: folder, trainer: trainer, training: examples.data, description: try record(digest, settings),
      resuming: isResumed)
    let clock = try TrainingClock(folder, isResumed: isResumed)
    let isComplete = try run.run(isInterrupted: isInterrupted) { event in
      if case .checkpoint = event { clock.keep() }
      report(event)
    }
    guard isComplete else { return nil }
    try parts.write(run.trainer.model, adapters: settings.adapters, to: folder)
    let metrics = RunMetrics(folder: folder)
    let result = ArmTrainingResult(
      digest: digest, arm: arm.name, seed: seed, method: arm.method, questions: examples.questionCount,
      examples: examples.data.examples.count, tooLong: examples.tooLongCount, incomplete: examples.incompleteCount,
      steps: settings.steps, tokens: Int(metrics.points("rows").reduce(0) { $0 + $1.y }),
      countedTokens: Int(metrics.points("counted_rows").reduce(0) { $0 + $1.y }),
      loss: metrics.last("loss")?.number, share: arm.share, settings: settingsDigest,
      processorSeconds: clock.total())
    try result.write(to: folder)
    return result
  }

  /// How examples are read: as many in a step as the arm says, and as many steps as its epochs, its steps and its limit of tokens
  /// allow.
  private func settings(_ examples: ArmExamples) -> TrainingSettings {
    let lengths = examples.data.groups.map { $0.reduce(0) { $0 + examples.data.examples[$1].count - 1 } }
    let mean = Double(lengths.reduce(0, +)) / Double(max(1, lengths.count))
    let rows = max(lengths.max() ?? 1, Int((mean * Double(arm.batch)).rounded(.up)))
    let steps = steps(examples.data, rows: rows)
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(
        method: .adamw, learningRate: arm.learningRate ?? (arm.rank == 0 ? 1e-5 : 2e-4), beta1: 0.9, beta2: 0.99,
        weightDecay: 0.01, clip: 1),
      schedule: LearningRateSchedule(shape: .cosine, warmup: min(20, steps / 10), final: 0.1, steps: steps),
      steps: steps, batch: 1, context: rows)
    settings.seed = UInt64(bitPattern: Int64(seed))
    settings.taskShares = examples.taskShares
    settings.validationInterval = 0
    settings.checkpointInterval = min(50, max(5, steps / 20))
    settings.keptCheckpoints = 1
    return settings
  }

  /// The number of steps after which the epochs are read, or before which the limit of tokens would be passed; at least one.
  private func steps(_ data: TrainingData, rows: Int) -> Int {
    if let steps = arm.steps, arm.maximumTokens == nil { return steps }
    var sampler = BatchSampler(data, seed: UInt64(bitPattern: Int64(seed)))
    var steps = 0, tokens = 0
    while true {
      if let wanted = arm.steps {
        if steps == wanted { break }
      } else {
        let read = Double(sampler.position.epoch) + Double(sampler.position.dealt) / Double(data.groups.count)
        if read >= arm.epochs { break }
      }
      tokens += sampler.next(rows: rows).inputs.count
      if let most = arm.maximumTokens, tokens > most { break }
      steps += 1
    }
    return max(1, steps)
  }

  // MARK: What tells runs apart

  /// A digest of the student and the arm without what may differ between points of one curve over the size of the data.
  private var settingsDigest: String {
    var other = arm
    (other.name, other.seeds, other.share) = ("", [], 1)
    let start = start.map { ($0 as NSString).lastPathComponent } ?? ""
    var digest = SHA256()
    digest.update(Array("\(student) \(other.description) \(recipeSeed) \(start)".utf8))
    return String(digest.finalize().prefix(16))
  }

  private func record(_ digest: String, _ settings: TrainingSettings) throws -> [String: Any] {
    [
      "command": "teach train", "arm": arm.name, "method": arm.method.rawValue, "student": student.model,
      "seed": seed, "digest": digest,
      "settings": try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings)),
    ]
  }
}
