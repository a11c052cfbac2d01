import Foundation
import MartletData

/// The folder in which a recipe is carried out: the files of its stages.
///
///     recipe.json        the recipe
///     questions.jsonl    questions of all splits
///     strategies.json    the strategies measured, and the one of each cluster
///     generated.jsonl    responses of the teacher
///     checked.jsonl      the same with the verdict on each
///     selected.jsonl     those that are learnt from
///     examples/          what each arm trains on
///     runs/              a run for each arm and seed
///     evaluated/         the answers of each run's result
///     damage/            what each run's result can do beside what it was taught
///     report.json, report.html
public struct TeachingFolder: Sendable, Equatable {
  /// The path of the folder.
  public let path: String

  /// A folder, which need not be there yet.
  public init(_ path: String) { self.path = path }

  /// The recipe.
  public var recipe: String { path + "/recipe.json" }
  /// Questions of all splits.
  public var questions: String { path + "/questions.jsonl" }
  /// The strategies measured, and the one of each cluster.
  public var strategies: String { path + "/strategies.json" }
  /// Responses of the teacher.
  public var generated: String { path + "/generated.jsonl" }
  /// Responses with the verdict on each.
  public var checked: String { path + "/checked.jsonl" }
  /// Responses that are learnt from.
  public var selected: String { path + "/selected.jsonl" }
  /// What an arm trains on.
  public func examples(_ arm: String) -> String { path + "/examples/\(arm).jsonl" }
  /// The run of an arm with a seed.
  public func run(_ arm: String, seed: Int) -> String { path + "/runs/\(arm)-seed-\(seed)" }
  /// The answers of the result of a run.
  public func evaluated(_ arm: String, seed: Int) -> String { path + "/evaluated/\(arm)-seed-\(seed).jsonl" }
  /// What the result of a run can do beside what it was taught; `untrained` with the seed 0 for the student as it is.
  public func damage(_ arm: String, seed: Int) -> String { path + "/damage/\(arm)-seed-\(seed).jsonl" }
  /// The numbers of the report.
  public var report: String { path + "/report.json" }
  /// The page of the report.
  public var page: String { path + "/report.html" }
}
