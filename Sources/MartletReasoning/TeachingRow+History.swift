import MartletData
import MartletModels

extension TeachingRow {
  /// The earlier messages of a question that stands in a conversation: its member `history`, a list of roles and contents.
  /// - Throws: ``TeachingError`` if it is something else.
  func history() throws -> [ChatMessage] {
    guard let value = others.present("history") else { return [] }
    let messages = (value.array ?? []).compactMap { message -> ChatMessage? in
      guard let role = message["role"]?.string.flatMap(ChatMessage.Role.init), let content = message["content"]?.string
      else { return nil }
      return ChatMessage(role, content)
    }
    guard let list = value.array, messages.count == list.count else {
      throw TeachingError(
        "question \(id.printable): its \"history\" is no list of messages with role and content; correct it")
    }
    return messages
  }
}
