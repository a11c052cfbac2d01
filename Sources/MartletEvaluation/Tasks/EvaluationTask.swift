import MartletData

/// A task by which models are measured: where its rows are, how each is put to a model, and how answers are judged. It is described by
/// one JSON file; the article "Your own task" says how.
public struct EvaluationTask: Sendable {
  /// The name, such as `arc_easy` or `xcopa_it`.
  public let name: String
  /// The group that the task belongs to, such as `xcopa`, whose score is the mean weighted by rows; nil where it stands alone.
  public let group: String?
  /// What is measured, in the order of tables.
  public let metrics: [Metric]
  /// How many solved examples stand before a question where nothing else is asked for.
  public let shots: Int

  /// Reads the tasks that a file describes: one, or the members of a group.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public static func read(_ path: String) throws -> [EvaluationTask] { [] }

  /// A shipped task, or the members of a shipped group.
  /// - Throws: an explained error with the nearest names.
  public static func named(_ name: String) throws -> [EvaluationTask] { [] }

  /// The names of the shipped tasks and groups.
  public static var names: [String] { [] }

  /// The rows in the order of the data file.
  /// - Parameters:
  ///   - folder: the folder of the data; a path that is not there is looked up in the folder above it.
  ///   - limit: most rows, from the first; nil for all.
  ///   - presentation: how rows are put to the model.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public func rows(in folder: String, limit: Int? = nil, presentation: RowPresentation = RowPresentation()) throws
    -> [EvaluationRow]
  { [] }

  /// What must be fetched before the task can run; nil where all is there.
  public func missingData(in folder: String) -> MissingData? { nil }
}
