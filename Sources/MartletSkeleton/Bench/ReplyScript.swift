import Foundation
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
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SkeletonError("there is no script \(path)")
    }
    lines = try data.split(separator: 0x0a).enumerated().map { number, line in
      guard let row = try? JSONValue(parsing: line), let match = row["match"]?.string, let reply = row["reply"]?.string
      else { throw SkeletonError("\(path), line \(number + 1): it is not {\"match\": …, \"reply\": …}") }
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
