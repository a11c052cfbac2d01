import MartletEngine
import MartletModels

/// Changes the answers of a model to certain prompts. It is called on the engine's thread before a prompt is read, so
/// that all decisions for a request are based on one consistent state. How an edit acts on an answer is the same for
/// all implementations (`EditPlan`).
public protocol PromptEditor: InterventionSource {
  /// The format of the prompts for which ``edit(for:promptCount:)`` can return an edit; nil for all formats.
  var format: PromptFormat? { get }

  /// The edit at the end of a prompt; nil for none.
  ///
  /// - Parameters:
  ///   - question: the question.
  ///   - promptCount: the number of tokens of the prompt.
  func edit(for question: Question, promptCount: Int) -> (any PromptEdit)?

  /// The edit that determines the answer to a question, decided before a prompt is read; nil if there is none.
  func answer(to question: Question) -> FiredEdit?
}

extension PromptEditor {
  /// The default: prompts of all formats.
  public var format: PromptFormat? { nil }
  /// The default: nil, because the decision depends on the prompt.
  public func answer(to question: Question) -> FiredEdit? { nil }

  /// The effect of the edits on the answer.
  public func plan(for request: Request, loaded: LoadedModel) -> InterventionPlan {
    EditPlan(for: request, editor: self, loaded: loaded).interventions(request, loaded: loaded)
  }

  /// Whether an edit determines the answer to a question.
  public func answers(_ question: Question) -> Bool { answer(to: question) != nil }
}
