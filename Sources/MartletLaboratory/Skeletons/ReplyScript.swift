import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletTokenizers

/// Replies of known length for measurements: what the model "says" where a prompt ends with a given text.
package struct ReplyScript: Sendable {
  private struct Line: Sendable {
    let match: String
    let reply: String
  }
  private let lines: [Line]

  /// Reads lines `{"match": …, "reply": …}`; the first that matches counts.
  package init(path: String) throws {
    lines = try JSONLines.read(path).map { line in
      guard let match = line.value["match"]?.string, let reply = line.value["reply"]?.string else {
        throw line.failure("it is not {\"match\": …, \"reply\": …}")
      }
      return Line(match: match, reply: reply)
    }
  }

  /// For ``Engine/Options/script``.
  package func replies(for loaded: LoadedModel) -> @Sendable ([Int]) -> [Int]? {
    { tokens in
      let end = String(decoding: loaded.tokenizer.decode(Array(tokens.suffix(64))), as: UTF8.self)
      guard let line = lines.first(where: { end.hasSuffix($0.match) }) else { return nil }
      return loaded.tokenizer.encode(line.reply, special: false)
    }
  }
}
