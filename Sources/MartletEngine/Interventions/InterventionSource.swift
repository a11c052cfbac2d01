import MartletModels

/// Decides for each request whether and how to intervene in the answer, as edits of a model do. It is called on the
/// engine's thread before a prompt is read, so that all decisions for a request are based on one consistent state.
public protocol InterventionSource: Sendable {
  /// The plan for a request; an empty plan leaves the answer to the model.
  ///
  /// - Parameters:
  ///   - request: the request as it was made, with its ``Request/question`` where it has one.
  ///   - loaded: the engine's model.
  func plan(for request: Request, loaded: LoadedModel) -> InterventionPlan

  /// Whether the source determines the answer to a question.
  func answers(_ question: Question) -> Bool
}

extension InterventionSource {
  /// The default: false, because the decision depends on the prompt.
  public func answers(_ question: Question) -> Bool { false }
}

/// The interventions in one answer.
public struct InterventionPlan: Sendable {
  /// The interventions in the forward passes. One that needs more last rows than the prompt has is skipped.
  public var interventions: [Intervention] = []
  /// The grammar of the answer from its first token on, in place of ``Request/grammar``.
  public var grammar: Grammar?
  /// Returns the grammar of the answer after the prompt was read. It is called with the notes of the interventions if
  /// there are any and the request has no grammar.
  public var grammarAfterPrompt: (@Sendable (_ notes: [any Sendable]) -> Grammar?)?
  /// A note about the plan, which is returned in ``Completion/notes`` before those of the interventions.
  public var note: (any Sendable)?

  /// An empty plan, which leaves the answer to the model.
  public init() {}
}
