import Foundation
import MartletData

/// The words by which a text announces its answer.
enum AnswerMark {
  private static let expression = try? NSRegularExpression(
    pattern: "answer is:?|####|-->|^(?:A|Answer|Final answer):", options: [.caseInsensitive, .anchorsMatchLines])

  /// The place of the first of them.
  static func first(in text: String) -> Range<String.Index>? {
    guard let match = expression?.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) else { return nil }
    return Range(match.range, in: text)
  }

  /// The place of the last of them.
  static func last(in text: String) -> Range<String.Index>? {
    guard let match = expression?.matches(in: text, range: NSRange(text.startIndex..., in: text)).last else {
      return nil
    }
    return Range(match.range, in: text)
  }

  /// What stands behind the last of them on its line, without space, a point at the end and quotation marks around it; nil where
  /// there is none, or nothing behind it.
  static func statement(in text: String) -> String? {
    guard let mark = last(in: text) else { return nil }
    return bare(text[mark.upperBound...].prefix { $0 != "\n" && $0 != "\r\n" })
  }

  /// A text without space around it, a point at its end and quotation marks around the rest; nil for an empty one.
  static func bare(_ text: some StringProtocol) -> String? {
    var text = String(text).strippedOfSpace
    if text.hasSuffix(".") { text.removeLast() }
    for (left, right) in [("\"", "\""), ("“", "”"), ("'", "'"), ("`", "`")]
    where text.count >= 2 && text.hasPrefix(left) && text.hasSuffix(right) {
      text = String(text.dropFirst().dropLast())
      if text.hasSuffix(".") { text.removeLast() }
    }
    text = text.strippedOfSpace
    return text.isEmpty ? nil : text
  }
}
