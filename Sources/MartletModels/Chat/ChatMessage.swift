/// One message of a conversation.
public struct ChatMessage: Sendable, Equatable, Codable {
  /// The role of the author.
  public enum Role: String, Sendable, Codable {
    /// Instructions that hold for the whole conversation.
    case system
    /// The person who asks.
    case user
    /// The model.
    case assistant
  }
  /// The role of the author.
  public var role: Role
  /// The text.
  public var content: String

  /// A message with its role and text.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}
