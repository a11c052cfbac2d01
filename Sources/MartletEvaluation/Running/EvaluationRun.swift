import Foundation
import MartletData

/// Tasks put to models: what is asked, what has been answered, and a file of rows that keeps it.
///
/// The file's lines are in the order of tasks, of their rows, and of models within a row. A run that was ended at any moment goes on
/// after the last whole line, and as a row's scores do not depend on which rows are scored together, the file becomes the same.
public final class EvaluationRun {
  /// A task with its rows as they are put to each model.
  struct Part {
    let task: EvaluationTask
    /// `[model][row]`
    let rows: [[EvaluationRow]]
    var rowCount: Int { rows.first?.count ?? 0 }
  }

  /// How rows are put to models, and how many.
  public struct Options: Sendable {
    /// Most rows of each task, from the first; nil for all.
    public var limit: Int?
    /// How rows are put; the format of conversations is each model's own.
    public var presentation: RowPresentation
    /// The file of rows; nil keeps none.
    public var file: String?
    /// Whether a file that is there is gone on with.
    public var resumes: Bool
    /// Whether a file that is there, and is not gone on with, is replaced.
    public var replaces: Bool

    /// Options; without any, all rows are put as plain text and nothing is kept.
    public init(
      limit: Int? = nil, presentation: RowPresentation = RowPresentation(), file: String? = nil, resumes: Bool = false,
      replaces: Bool = false
    ) {
      self.limit = limit
      self.presentation = presentation
      self.file = file
      self.resumes = resumes
      self.replaces = replaces
    }

    /// Checks before models are loaded whether the file can be written.
    /// - Throws: `FileError` if it is there, or the one beside it that says which run it belongs to, and is neither gone on with nor replaced;
    ///   or if it is no plain file, or being written by another process.
    public func checkFile() throws {
      guard let file else { return }
      try AppendedFile.check(file)
      if resumes { return try OutputTarget.check(file, replaces: true) }
      if !replaces, FileManager.default.fileExists(atPath: file),
        FileManager.default.fileExists(atPath: RunManifest.path(of: file))
      {
        throw FileError(
          file: file, "it exists already; go on with it (--resume), choose another name, or add --force to replace it")
      }
      for path in [file, RunManifest.path(of: file)] { try OutputTarget.check(path, replaces: replaces) }
    }
  }

  /// The models in the order of tables.
  public let models: [EvaluatedModel]
  let parts: [Part]
  /// How many answers there are in all: rows times models.
  public let total: Int
  /// How many answers the file held already.
  public private(set) var resumed = 0
  /// How many answers of this run were to contexts longer than the model reads, of which the beginning was left out.
  public private(set) var truncated = 0
  /// How many answers of this run have scores of the unchanged model, as an edit could have acted by its words alone.
  public private(set) var wordsOnly = 0
  private let file: RowsFile
  /// What was answered, by place; nil where nothing has been yet.
  private var answered: [RowResult?]
  private var done = 0
  private var blockSize = 16

  /// Reads the rows of tasks, and what a file to resume holds.
  ///
  /// - Parameters:
  ///   - tasks: whose data are in the folder.
  ///   - models: at least one.
  ///   - folder: the folder of the data.
  ///   - options: which rows are put, how, and where they are kept.
  /// - Throws: `FileError` that names what is wrong with a task, its data, or a file that belongs to another run.
  public init(
    _ tasks: [EvaluationTask], models: [EvaluatedModel], data folder: String, options: Options = Options()
  ) throws {
    self.models = models
    parts = try tasks.map { task in
      var plain: [EvaluationRow]?
      let rows = try models.map { model in
        var presentation = options.presentation
        presentation.chat = model.chat
        // Plain text is the same for every model.
        if model.chat == nil, let plain { return plain }
        let rows = try task.rows(in: folder, limit: options.limit, presentation: presentation)
        if model.chat == nil { plain = rows }
        return rows
      }
      return Part(task: task, rows: rows)
    }
    total = parts.reduce(0) { $0 + $1.rowCount * models.count }
    answered = Array(repeating: nil, count: total)
    let manifest = RunManifest(
      models: models.map { .init(name: $0.name, fingerprint: $0.fingerprint) },
      tasks: parts.map { part in
        .init(
          name: part.task.name, rows: part.rowCount,
          digest: Set(part.rows.map(SHA256.fingerprint(of:))).sorted().joined(separator: "+"))
      })
    var kept = 0, begins = false
    let isNamed = models.count > 1
    if let path = options.file {
      try options.checkFile()
      if options.resumes, try !RowsFile.isEmpty(path) {
        if let obstacle = try RunManifest.read(besides: path).obstacle(to: manifest) {
          throw FileError(file: path, obstacle)
        }
        (answered, kept) = try Self.read(path, parts, models: models.map { isNamed ? $0.name : nil })
      } else {
        begins = true
      }
    }
    resumed = answered.count { $0 != nil }
    done = resumed
    file = try RowsFile(options.file, keeping: kept, next: resumed)
    // Behind the file, which only one process may write. A run that is ended between the two has no rows, and begins anew.
    if begins, let path = options.file { try manifest.write(besides: path) }
  }

  /// What the lines of a file hold, and how many bytes they take.
  private static func read(
    _ path: String, _ parts: [Part], models: [String?]
  ) throws -> (results: [RowResult?], byteCount: Int) {
    var lines = try RowsFile.lines(path)[...]
    var results: [RowResult?] = []
    var byteCount = 0
    for part in parts {
      for row in 0..<part.rowCount {
        for (model, name) in models.enumerated() {
          guard let line = lines.popFirst() else {
            results.append(nil)
            continue
          }
          guard let record = RowRecord(reading: line.bytes, as: part.rows[model][row], of: part.task, model: name)
          else {
            throw FileError(
              file: "\(path), line \(results.count + 1)",
              "it is not what this run writes for row \(part.rows[model][row].number) of \(part.task.name); "
                + "it was changed, or written by another version: write to another file of rows")
          }
          results.append(record.result)
          byteCount = line.end
        }
      }
    }
    guard lines.isEmpty else {
      throw FileError(
        file: path, "it has more lines than this run has rows; it was changed: write to another file of rows")
    }
    return (results, byteCount)
  }

  /// Answers what has not been answered yet.
  ///
  /// - Parameter progress: called after each answer with the number of answers so far, those of a resumed file included; what it
  ///   throws ends the run, which can be resumed.
  /// - Throws: what scoring or judging throws, with the task's name; `FileError` if the rows cannot be made durable.
  public func run(progress: (_ done: Int, _ task: EvaluationTask) throws -> Void = { _, _ in }) async throws {
    do { try await answerWhatIsOpen(progress) } catch {
      // What ended the run is the error to tell; the lines so far stand in the file all the same.
      try? file.synchronize()
      throw error
    }
    try file.synchronize()
  }

  private func answerWhatIsOpen(_ progress: (_ done: Int, _ task: EvaluationTask) throws -> Void) async throws {
    var start = 0
    for part in parts {
      var row = 0
      while row < part.rowCount {
        let clock = ContinuousClock.now
        let isWritten = part.rows.first?[row].requests.isEmpty ?? false
        // A generator takes all at once: it begins them in order, and a row that takes long holds nothing up.
        let end = isWritten ? part.rowCount : min(part.rowCount, row + blockSize)
        var worked = false
        for model in models.indices {
          let open = (row..<end).filter { answered[start + $0 * models.count + model] == nil }
          if open.isEmpty { continue }
          worked = true
          try await answer(open, of: part, model: model, start: start) { try progress(done, part.task) }
        }
        if worked, !isWritten {
          // Blocks of a few seconds: large enough to be packed well, small enough to lose little.
          let seconds = (ContinuousClock.now - clock) / .seconds(1)
          blockSize = min(512, max(8, seconds > 6 ? blockSize / 2 : seconds < 2 ? blockSize * 2 : blockSize))
        }
        row = end
      }
      start += part.rowCount * models.count
    }
  }

  private func answer(
    _ rows: [Int], of part: Part, model: Int, start: Int, progress: () throws -> Void
  ) async throws {
    let asked = rows.map { part.rows[model][$0] }
    func finish(_ index: Int, _ answer: RowRecord.Answer) throws {
      let place = start + rows[index] * models.count + model
      let record = try RowRecord(
        answer, to: asked[index], of: part.task, model: models.count > 1 ? models[model].name : nil)
      answered[place] = record.result
      switch answer {
      case .scores(_, let scores):
        if scores.contains(where: { $0.truncatedTokens > 0 }) { truncated += 1 }
        if scores.contains(where: { $0.influence == .wordsOnly }) { wordsOnly += 1 }
      case .text(let generated): if generated.truncatedTokens > 0 { truncated += 1 }
      }
      try file.add(record.line, at: place)
      done += 1
      try progress()
    }
    let writing = asked.compactMap { if case .generation(let request) = $0.question { request } else { nil } }
    if writing.count == asked.count {
      try await models[model].generator.generate(writing) { try finish($0, .text($1)) }
    } else {
      let scorer = models[model].scorer
      let requests = try asked.map { row in
        do {
          return try row.requests.map { request in
            let tokens = try scorer.encode(request)
            try scorer.check(tokens)
            return tokens
          }
        } catch let error as ScoringError { throw FileError(file: row.place, error.message) }
      }
      _ = try await scorer.scores(requests) { try finish($0, .scores(requests[$0], $1)) }
    }
  }

  /// What has been answered so far.
  public var results: EvaluationResults {
    var start = 0
    let tasks = parts.map { part in
      defer { start += part.rowCount * models.count }
      return EvaluationResults.Task(
        part.task, rows: part.rows.first ?? [],
        results: models.indices.map { model in
          (0..<part.rowCount).map { answered[start + $0 * models.count + model] }
        })
    }
    return EvaluationResults(models: models.map(\.name), tasks: tasks)
  }
}
