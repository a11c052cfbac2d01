import Foundation
import MartletData

/// What a file of rows is about, written beside it: a run is resumed with the same models, tasks and options alone.
struct RunManifest: Codable, Equatable {
  struct Model: Codable, Equatable {
    var name: String
    var fingerprint: String
  }
  struct Task: Codable, Equatable {
    var name: String
    var rows: Int
    /// A digest of everything that the rows ask and of what is right.
    var digest: String
  }

  /// The version of this form.
  var version = 1
  var models: [Model]
  var tasks: [Task]

  /// The path of the manifest of a file of rows.
  static func path(of rows: String) -> String { rows + ".run.json" }

  /// Reads the manifest beside a file of rows.
  /// - Throws: `FileError` if there is none, or it cannot be understood.
  static func read(besides rows: String) throws -> RunManifest {
    let path = path(of: rows)
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw FileError(
        file: path, "it is missing, and without it nobody knows what \(rows) belongs to; write to another file of rows")
    }
    do { return try JSONDecoder.snakeCase.decode(RunManifest.self, from: bytes) } catch {
      throw FileError(file: path, "it is not what `martlet evaluate` writes; write to another file of rows")
    }
  }

  /// Writes the manifest beside a file of rows.
  func write(besides rows: String) throws {
    try AtomicFile.write(JSONEncoder.snakeCase.encode(self) + Data("\n".utf8), to: Self.path(of: rows))
  }

  /// What keeps a run from going on with the rows of this one, in one sentence; nil if nothing does.
  func obstacle(to other: RunManifest) -> String? {
    if models.map(\.name) != other.models.map(\.name) {
      return "it was begun with \(models.map(\.name).joined(separator: ", ")) "
        + "and would go on with \(other.models.map(\.name).joined(separator: ", ")); give the same models to resume"
    }
    for (model, now) in zip(models, other.models) where model.fingerprint != now.fingerprint {
      return
        "\(model.name) is not the model that it was begun with, or has another weight format, adapter or prompt format; "
        + "give the same ones to resume"
    }
    let names = tasks.map(\.name), others = other.tasks.map(\.name)
    if names != others {
      return "it was begun with the tasks \(names.joined(separator: ", ")) and would go on with "
        + "\(others.joined(separator: ", ")); give the same tasks to resume"
    }
    for (task, now) in zip(tasks, other.tasks) where task.rows != now.rows {
      return "it was begun with \(task.rows) rows of \(task.name) and would go on with \(now.rows); "
        + "give the same --limit and the same data to resume"
    }
    for (task, now) in zip(tasks, other.tasks) where task.digest != now.digest {
      return "the questions of \(task.name) are others than those that it was begun with: the task, its data, "
        + "the number of examples or the prompt has changed; give the same ones to resume"
    }
    return nil
  }
}

extension SHA256 {
  /// A digest of rows: of every text that is asked, where one ends, and of what is right.
  static func fingerprint(of rows: [EvaluationRow]) -> String {
    var digest = SHA256()
    func add(_ text: String) {
      digest.update(Array("\(text.utf8.count):".utf8))
      digest.update(Array(text.utf8))
    }
    for row in rows {
      add("\(row.number)")
      add(row.gold.text)
      var context: String?
      for request in row.requests {
        // Most requests of a row share their context.
        if request.context != context { add(request.context) }
        context = request.context
        add(request.continuation)
      }
      if case .generation(let request) = row.question {
        add(request.context)
        for stop in request.stops { add(stop) }
        add("\(request.maxTokens)")
      }
    }
    return String(digest.finalize().prefix(32))
  }
}
