import MartletData
import MartletEvaluation
import MartletModels

/// Measures what a student can do beside what it was taught: tasks of the evaluation harness, and whether it keeps to instructions. The
/// same of the untouched student shows what teaching has damaged (``TeachingDamage``).
///
/// Work is kept beside the file of results, so that a measurement which was ended at any moment goes on:
///
///     damage/thoughts-seed-1.jsonl.rows            rows of tasks, as `martlet evaluate --rows` writes them
///     damage/thoughts-seed-1.jsonl.instructions    answers to instructions
///     damage/thoughts-seed-1.jsonl                 a line for each row and instruction, written last
public struct DamageEvaluation: Sendable {
  /// The student with what it has learnt.
  public var loaded: LoadedModel
  /// The model as the recipe names it, and how it is asked.
  public var student: StudentSettings
  /// The name of the arm.
  public var arm: String
  /// The seed of the run; 0 for the untouched student.
  public var seed: Int
  /// The tasks.
  public var tasks: [EvaluationTask]
  /// The largest number of rows of a task; nil for all.
  public var limit: Int?
  /// The folder of the tasks' data.
  public var data: String
  /// The instructions; nil leaves them out.
  public var instructions: InstructionCheck?
  /// The largest number of tokens of an answer to an instruction.
  public var maxTokens = 160

  /// A measurement.
  /// - Parameters:
  ///   - loaded: the student with what it has learnt.
  ///   - student: the model as the recipe names it, and how it is asked.
  ///   - arm: the name of the arm.
  ///   - seed: the seed of the run; 0 for the untouched student.
  ///   - tasks: the tasks, whose data are in the folder.
  ///   - limit: the largest number of rows of a task; nil for all.
  ///   - data: the folder of the tasks' data.
  ///   - instructions: the instructions; nil leaves them out.
  public init(
    _ loaded: LoadedModel, student: StudentSettings, arm: String, seed: Int, tasks: [EvaluationTask], limit: Int?,
    data: String, instructions: InstructionCheck?
  ) {
    self.loaded = loaded
    self.student = student
    self.arm = arm
    self.seed = seed
    self.tasks = tasks
    self.limit = limit
    self.data = data
    self.instructions = instructions
  }

  /// The measurement of what a run has left, or of the student as it is: the arm has the name of the run's folder, or `untrained`.
  /// - Parameters:
  ///   - student: the model as the recipe names it, and how it is asked.
  ///   - folder: the folder of the run; nil for the student as it is.
  ///   - tasks: the tasks, whose data are in the folder.
  ///   - limit: the largest number of rows of a task; nil for all.
  ///   - data: the folder of the tasks' data.
  ///   - instructions: the instructions; nil leaves them out.
  /// - Throws: ``TeachingError`` where the folder holds no complete run, and what loading throws.
  public init(
    _ student: StudentSettings, trainedIn folder: String?, tasks: [EvaluationTask], limit: Int?, data: String,
    instructions: InstructionCheck?
  ) throws {
    let trained = try folder.map { folder in
      guard let found = try ArmTrainingResult.read(folder) else {
        throw TeachingError("\(folder) holds no complete run; train with `martlet teach train` first")
      }
      return found
    }
    self.init(
      try StudentFiles.load(student, trainedIn: folder), student: student, arm: trained?.arm ?? "untrained",
      seed: trained?.seed ?? 0, tasks: tasks, limit: limit, data: data, instructions: instructions)
  }

  /// Answers what has not been answered yet.
  /// - Parameters:
  ///   - file: the file of results, beside which work is kept; it is written by ``write(_:to:replaces:)``. nil keeps nothing.
  ///   - progress: called after each answer; what it throws ends the measurement, which can be resumed.
  /// - Returns: a line for each row of the tasks in their order, then for each instruction; the split of all is `damage`.
  /// - Throws: `FileError` where data are missing or the files belong to another measurement.
  public func run(
    file: String?, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) async throws -> [StudentAnswer] {
    if let folder = file?.parentFolder, !folder.isEmpty { try OutputTarget.makeFolder(folder) }
    let asked = instructions?.questions ?? []
    let run = try EvaluationRun(
      tasks, models: [EvaluatedModel(loaded, name: arm)], data: data,
      options: EvaluationRun.Options(limit: limit, file: file.map { $0 + ".rows" }, resumes: file != nil))
    let total = run.total + asked.count
    try await run.run { done, _ in try progress(done, total) }
    var answers = try run.results.tasks.flatMap { part in try self.answers(part) }
    guard let instructions else { return answers }
    var settings = EvaluationSettings()
    settings.maxTokens = maxTokens
    var armSettings = ArmSettings(name: arm, method: .untrained)
    armSettings.erasure = student.system == nil ? .none : .erased
    var evaluation = StudentEvaluation(
      loaded, student: student, arm: armSettings, seed: seed, settings: settings,
      digest: loaded.model.description.fingerprint)
    evaluation.judge = { instructions.isFulfilled($0, by: $1) }
    answers += try await evaluation.run(asked, file: file.map { $0 + ".instructions" }) {
      try progress(run.total + $0, total)
    }
    return answers
  }

  /// Writes the results as JSON lines; the file appears whole or not at all.
  /// - Throws: `FileError` if it cannot be written.
  public static func write(_ answers: [StudentAnswer], to path: String, replaces: Bool = false) throws {
    var bytes: [UInt8] = []
    for answer in answers {
      answer.json.write(to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
    try AtomicFile.write(bytes, to: path, replaces: replaces)
  }

  /// The rows of a task as answers: right or wrong by the metric that tables name the task by.
  private func answers(_ part: EvaluationResults.Task) throws -> [StudentAnswer] {
    let rows = try part.task.rows(in: data, limit: limit)
    guard let metric = part.mainMetric else { return [] }
    return try zip(rows, part.results.first ?? []).compactMap { row, result -> StudentAnswer? in
      guard let value = result?.values[metric] else { return nil }
      guard value == 0 || value == 1 else {
        throw TeachingError(
          "\(part.task.name) is measured by \(metric), by which a row is not right or wrong; leave it out")
      }
      var answer = TeachingRow(
        id: "\(row.number)", task: part.task.name, split: "damage", question: row.requests.first?.context ?? "")
      answer.isCorrect = value == 1
      answer.response = result?.prediction.text
      answer.seed = seed
      return StudentAnswer(answer, arm: arm, isEnded: true)
    }
  }
}
