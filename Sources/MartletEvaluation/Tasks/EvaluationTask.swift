import Foundation
import MartletData
import MartletModels

/// A task by which models are measured: where its rows are, how each is put to a model, and how answers are judged. It is described by
/// one JSON file; the article <doc:YourOwnTask> says how.
///
///     for task in try EvaluationTask.named("xcopa") {
///       let rows = try task.rows(in: "data/eval", limit: 100)
///     }
public struct EvaluationTask: Sendable {
  private let definition: TaskDefinition
  /// Whether the task is part of the program, and not read from a file of the user's.
  public let isShipped: Bool

  /// The name, such as `arc_easy` or `xcopa_it`.
  public var name: String { definition.name }
  /// Other names by which the task is found, such as those of other programs.
  public var aliases: [String] { definition.aliases }
  /// The groups that the task belongs to, the nearest first, such as `mmlu_stem` and `mmlu`. A group's score is the mean weighted by rows.
  public var groups: [String] { definition.groups }
  /// The nearest group; nil where the task stands alone.
  public var group: String? { definition.groups.first }
  /// What the task asks, in a sentence.
  public var about: String { definition.about }
  /// What is measured, in the order of tables.
  public var metrics: [Metric] { definition.measures.map(\.metric) }
  /// How many solved examples stand before a question where nothing else is asked for.
  public var shots: Int { definition.shots.count }
  /// Whether the model writes answers, instead of scoring given ones.
  public var generates: Bool {
    if case .generation = definition.form { true } else { false }
  }

  /// Reads the tasks that a file describes: one, or the members of a group.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public static func read(_ path: String) throws -> [EvaluationTask] {
    try TaskReader.definitions(Array(JSONLines.contents(path)), of: path).map { EvaluationTask($0, isShipped: false) }
  }

  /// A shipped task, or the members of a shipped group.
  /// - Throws: an explained error with the nearest names.
  public static func named(_ name: String) throws -> [EvaluationTask] {
    let found = shipped.filter { $0.name == name || $0.aliases.contains(name) || $0.groups.contains(name) }
    guard found.isEmpty else { return found }
    let question = NearestNames.question(name, among: names)
    throw FileError(
      file: name,
      question.isEmpty
        ? "there is no such task; martlet evaluate --list names them, and the path of a JSON file gives one of your own"
        : "there is no such task\(question)")
  }

  /// The names of the shipped groups and tasks, in the order of the alphabet.
  public static var names: [String] { Set(shipped.flatMap { [$0.name] + $0.groups }).sorted() }

  /// How many tasks a shipped group has; nil where none is shipped by that name.
  static func count(ofGroup name: String) -> Int? {
    let count = shipped.count { $0.groups.contains(name) }
    return count == 0 ? nil : count
  }

  /// All shipped tasks, in the order of the alphabet.
  public static let shipped: [EvaluationTask] = ShippedTasks.definitions.map {
    EvaluationTask($0, isShipped: true)
  }

  private init(_ definition: TaskDefinition, isShipped: Bool) {
    self.definition = definition
    self.isShipped = isShipped
  }

  /// The rows in the order of the data file.
  /// - Parameters:
  ///   - folder: the folder of the data; a path that is not there is looked up in the folder above it.
  ///   - limit: most rows, from the first; nil for all.
  ///   - presentation: how rows are put to the model.
  /// - Throws: ``MissingData``, or `FileError` that names the file, the line and the cure.
  public func rows(
    in folder: String, limit: Int? = nil, presentation: RowPresentation = RowPresentation()
  ) throws -> [EvaluationRow] {
    var rows = try TaskRows(definition, in: folder, limit: limit, presentation)
    return try rows.evaluationRows()
  }

  /// What must be fetched before the task can run; nil where all is there.
  /// - Parameters:
  ///   - folder: the folder of the data.
  ///   - shots: how many examples will be asked for; nil for as many as the task says. Without any, their file is not needed.
  public func missingData(in folder: String, shots: Int? = nil) -> MissingData? {
    definition.missing(in: folder, shots: shots)
  }
}
