import MartletEngine
import MartletModels

/// A conversation, with the session that has read its beginning.
struct Conversation: Sendable {
  var messages: [ChatMessage] = []
  var session: Session
  /// What of it the model is given.
  var window = ContextWindow()

  /// Whether the last question has no answer yet.
  var isUnanswered: Bool { messages.last?.role == .user }
}
