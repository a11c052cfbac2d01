import MartletModels

/// Decides for each request whether and how its answer departs from what the model would say by itself, as edits of a model
/// do. Asked on the engine's thread before a prompt is read, so that what is decided for a request comes from one consistent
/// view.
public protocol InterventionSource: Sendable {
  /// What happens while a request is answered; an empty plan leaves it to the model.
  ///
  /// - Parameters:
  ///   - request: the request as it was made, with its ``Request/question`` where it has one.
  ///   - loaded: the engine's model.
  func plan(for request: Request, loaded: LoadedModel) -> InterventionPlan

  /// Whether a question has an answer of the source's own, whatever the model would say.
  func answers(_ question: Question) -> Bool
}

extension InterventionSource {
  /// False: nothing is known before a prompt is read.
  public func answers(_ question: Question) -> Bool { false }
}

/// How one answer departs from what the model would say by itself.
public struct InterventionPlan: Sendable {
  /// What acts in the forward passes. One that wants more of the prompt's last rows than there are is left out.
  public var interventions: [Intervention] = []
  /// What the answer is kept to from its first token on, in the place of ``Request/grammar``.
  public var grammar: Grammar?
  /// What the answer is kept to once the prompt is read; asked with the notes of the interventions, where they have left
  /// some and the answer may be any text.
  public var grammarAfterPrompt: (@Sendable (_ notes: [any Sendable]) -> Grammar?)?
  /// What is to be known of the plan; handed over in ``Completion/notes``, before those of the interventions.
  public var note: (any Sendable)?

  /// A plan that leaves the answer to the model.
  public init() {}
}
