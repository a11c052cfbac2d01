import MartletEngine
import MartletModels

/// Changes what a model says behind certain prompts. Asked on the engine's thread before a prompt is read: whatever is
/// decided for a request comes from one consistent view. How an edit acts on an answer is the same for all of them
/// (`EditPlan`).
public protocol PromptEditor: InterventionSource {
  /// How the prompts are written whose ends ``edit(for:promptCount:)`` can change; nil takes them all.
  var format: PromptFormat? { get }

  /// What is to happen at the end of a prompt; nil leaves it alone.
  ///
  /// - Parameters:
  ///   - question: what is asked.
  ///   - promptCount: tokens of the prompt.
  func edit(for question: Question, promptCount: Int) -> (any PromptEdit)?

  /// The edit that answers a question, with its words, decided before any prompt is read; nil where none does.
  func answer(to question: Question) -> FiredEdit?
}

extension PromptEditor {
  /// Prompts of all formats.
  public var format: PromptFormat? { nil }
  /// Nothing is known before a prompt is read.
  public func answer(to question: Question) -> FiredEdit? { nil }

  /// What the edits do to the answer.
  public func plan(for request: Request, loaded: LoadedModel) -> InterventionPlan {
    EditPlan(for: request, editor: self, loaded: loaded).interventions(request, loaded: loaded)
  }

  /// Whether an edit answers a question.
  public func answers(_ question: Question) -> Bool { answer(to: question) != nil }
}
