import MartletModels

/// A continuation that a model is asked to score after a context, both as texts.
public struct ContinuationRequest: Sendable, Equatable {
  /// What the model reads; may be empty, then the model's prefix token stands in its place.
  public var context: String
  /// What is scored, with the delimiter it begins with: usually a space.
  public var continuation: String
  /// The conversation that the context writes down, where it is one: edits find their question there.
  public var messages: [ChatMessage]?

  /// A request; the two texts together are what the model sees.
  public init(context: String, continuation: String, messages: [ChatMessage]? = nil) {
    self.context = context
    self.continuation = continuation
    self.messages = messages
  }
}
