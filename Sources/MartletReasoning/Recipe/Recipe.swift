import Foundation
import MartletData

/// Everything that determines what a model is taught and how the result is measured: a JSON file.
///
///     {"name": "coin-flips", "seed": 1,
///      "questions": [{"file": "symbolic/symbolic.jsonl.gz", "tasks": ["coin_flip"], "limits": {"train": 400}}],
///      "teacher": {"model": "SmolLM2-1.7B-Instruct"},
///      "generation": {"prompt": "few_shot", "samples": 4, "temperature": 0.7},
///      "student": {"model": "SmolLM2-135M-Instruct"},
///      "arms": [{"name": "answers", "method": "answer-only"}, {"name": "thoughts", "method": "cot"}],
///      "evaluation": {"splits": ["test", "test_ood3"]}}
///
/// Keys that nothing reads are refused, so that no wish is passed over in silence.
public struct Recipe: Sendable, Equatable {
  /// A name for the report.
  public var name: String
  /// What the recipe shows, in a sentence or two, for the report.
  public var about: String
  /// The seed from which all random numbers of the recipe are derived.
  public var seed: Int
  /// Where questions come from.
  public var questions: [QuestionSource]
  /// Who answers the questions of the training split; nil where the responses come with the questions.
  public var teacher: TeacherSettings?
  /// What the teacher is asked, and how often.
  public var generation: GenerationSettings
  /// Which responses are learnt from.
  public var selection: SelectionSettings
  /// The ways of answering among which one is chosen for each cluster of tasks; nil where none are told.
  public var strategies: StrategySettings?
  /// The model that is taught.
  public var student: StudentSettings
  /// What is compared: ways of training on the same questions.
  public var arms: [ArmSettings]
  /// How the results are measured.
  public var evaluation: EvaluationSettings

  /// The text of the recipe as it was read, which the folder of a run keeps.
  public internal(set) var source: String
}

/// The model that is taught.
public struct StudentSettings: Sendable, Equatable {
  /// A path or a name of a model.
  public var model: String
  /// Whether questions are put as messages of the model's chat template; otherwise as plain text.
  public var isChat: Bool
  /// The generic system message, which replaces the strategy's where that is erased; nil for none.
  public var system: String?

  /// A model and how it is asked.
  /// - Parameters:
  ///   - model: a path or a name of a model.
  ///   - isChat: whether questions are put as messages of the model's chat template.
  ///   - system: the generic system message; nil for none.
  public init(model: String, isChat: Bool = true, system: String? = nil) {
    self.model = model
    self.isChat = isChat
    self.system = system
  }

  /// The system message of a student that is told nothing else, written for this package.
  public static let carefulMessage =
    "You are a careful assistant. Follow the instructions exactly, choose the way of working that suits the task, and give a "
    + "helpful and harmless answer."
}
