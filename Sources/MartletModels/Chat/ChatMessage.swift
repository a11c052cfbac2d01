/// One turn of a conversation.
public struct ChatMessage: Sendable, Equatable, Codable {
  /// Who speaks.
  public enum Role: String, Sendable, Codable {
    /// Instructions that hold for the whole conversation.
    case system
    /// The person who asks.
    case user
    /// The model.
    case assistant
  }
  /// Who speaks.
  public var role: Role
  /// What is said.
  public var content: String

  /// A message.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}
