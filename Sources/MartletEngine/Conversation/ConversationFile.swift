import Foundation
import MartletData
import MartletModels

/// A conversation on disk: `{"model": …, "messages": [{"role": …, "content": …}]}`.
package enum ConversationFile {
  /// - Parameter model: the name of the model that answers; nil leaves it out.
  /// - Throws: what writing throws; where `replaces` is false, also when the file is there.
  package static func write(_ messages: [ChatMessage], model: String?, to path: String, replaces: Bool = true) throws {
    var object: [String: Any] = [
      "saved": Date().ISO8601Format(),
      "messages": messages.map { ["role": $0.role.rawValue, "content": $0.content] },
    ]
    object["model"] = model
    var data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    data.append(10)
    try AtomicFile.write(data, to: path, replaces: replaces)
  }

  /// Reads what ``write(_:model:to:)`` wrote, or a list of messages as other programs keep it.
  /// - Returns: the model's name, where the file has one.
  /// - Throws: ``EngineError`` or ``FileError`` naming file and place.
  package static func read(_ path: String) throws -> (messages: [ChatMessage], model: String?) {
    let value: JSONValue
    do {
      let bytes = try MappedFile.contents(of: path, limit: 256 << 20)
      value = try JSONValue(parsing: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...])
    } catch let error as JSONError {
      throw EngineError("\(path): it is not a conversation (\(error)); give a file that /save wrote")
    }
    guard let list = value.array ?? value.object?["messages"]?.array else {
      throw EngineError(
        "\(path): it is not a conversation, because it has no \"messages\"; give a file that /save wrote")
    }
    let messages = try list.enumerated().map { number, value in
      guard let role = value.object?["role"]?.string, let content = value.object?["content"]?.string else {
        throw EngineError("\(path): message \(number + 1) has no \"role\" and \"content\" that are strings")
      }
      guard let role = ChatMessage.Role(rawValue: role == "developer" ? "system" : role) else {
        throw EngineError(
          "\(path): message \(number + 1) has the role \"\(role)\"; the roles are system, user and assistant")
      }
      return ChatMessage(role, content)
    }
    return (messages, value.object?["model"]?.string)
  }
}
