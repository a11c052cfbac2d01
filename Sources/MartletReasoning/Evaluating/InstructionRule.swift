import Foundation
import MartletData

/// A rule by which a program sees whether an answer keeps to an instruction. It looks at the form alone: what the answer says does not
/// matter. No rule is fulfilled by an empty answer.
public enum InstructionRule: Sendable, Equatable {
  /// What stands in front of each line.
  public enum Mark: String, Sendable, CaseIterable {
    /// A number with a point or a bracket.
    case number
    /// A hyphen, a star or a bullet.
    case bullet
    /// None of these.
    case none
  }

  /// Letters, all of them capitals.
  case capitals
  /// Letters, none of them a capital.
  case lowercase
  /// A number of words within bounds; a word has a letter or a digit.
  case words(ClosedRange<Int>)
  /// A number of sentences, which end with `.`, `!` or `?`.
  case sentences(Int)
  /// A number of lines, each with the same mark in front; empty lines do not count.
  case lines(Int, Mark)
  /// Texts that all occur, in capitals or not.
  case contains([String])
  /// Texts that do not occur; words count where they stand alone.
  case without([String])
  /// The text of the beginning, in capitals or not.
  case begins(String)
  /// The text of the end, in capitals or not.
  case ends(String)
  /// Double quotation marks around the whole.
  case quoted
  /// Digits alone, but for a sign, a decimal point and a full stop at the end.
  case digits
  /// One of these texts and nothing else, but for punctuation at the end.
  case oneOf([String])
  /// A JSON object with these keys.
  case json([String])

  /// Whether an answer keeps to the instruction.
  public func isFulfilled(by answer: String) -> Bool {
    let text = answer.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else { return false }
    let small = text.lowercased()
    switch self {
    case .capitals: return text.contains(where: \.isLetter) && !text.contains(where: \.isLowercase)
    case .lowercase: return text.contains(where: \.isLetter) && !text.contains(where: \.isUppercase)
    case .words(let range):
      return range.contains(
        text.split(whereSeparator: \.isWhitespace).count { $0.contains { $0.isLetter || $0.isNumber } })
    case .sentences(let count): return Self.sentences(text) == count
    case .lines(let count, let mark):
      let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
      return lines.count == count && lines.allSatisfy { Self.mark(of: $0) == mark }
    case .contains(let texts): return texts.allSatisfy { small.contains($0.lowercased()) }
    case .without(let texts): return texts.allSatisfy { !Self.occurs($0.lowercased(), in: small) }
    case .begins(let start): return small.hasPrefix(start.lowercased())
    case .ends(let end): return small.hasSuffix(end.lowercased())
    case .quoted:
      return text.count > 2 && (text.first == "\"" && text.last == "\"" || text.first == "“" && text.last == "”")
    case .digits: return text.wholeMatch(of: /[-+]?\d+([.,]\d+)*\.?/) != nil
    case .oneOf(let texts):
      let bare = small.trimmingCharacters(in: .punctuationCharacters.union(.whitespacesAndNewlines))
      return texts.contains { $0.lowercased() == bare }
    case .json(let keys):
      guard let object = (try? JSONValue(parsing: Array(text.utf8)))?.object else { return false }
      return keys.allSatisfy { object[$0] != nil }
    }
  }

  /// The number of sentences; what follows the last end is one more.
  private static func sentences(_ text: String) -> Int {
    let ends = text.matches(of: /[.!?]+["”')\]]*(?=\s|$)/)
    let isOpen = ends.last.map { $0.range.upperBound < text.endIndex } ?? true
    return ends.count + (isOpen ? 1 : 0)
  }

  private static func mark(of line: Substring) -> Mark {
    if line.prefixMatch(of: /\d+[.):]\s/) != nil { return .number }
    return line.prefixMatch(of: /[-*•–]\s/) != nil ? .bullet : .none
  }

  /// Whether a text occurs; where it is a word, by itself and not as a part of another.
  private static func occurs(_ text: String, in whole: String) -> Bool {
    guard text.contains(where: \.isLetter) else { return whole.contains(text) }
    return whole.split { !$0.isLetter && $0 != "'" && $0 != "’" }.contains { $0 == text }
  }
}

extension InstructionRule {
  private static let kinds = [
    "capitals", "lowercase", "words", "sentences", "lines", "contains", "without", "begins", "ends", "quoted",
    "digits", "one_of", "json",
  ]

  /// Reads `{"kind": "words", "most": 10}`.
  /// - Throws: `FileError` that names the file, the line, the key and the cure.
  init(_ node: JSONNode) throws {
    try node.check(["kind", "least", "most", "count", "mark", "text", "texts", "keys"])
    func count() throws -> Int { try node.required("count").integer(1...1000) }
    switch try node.required("kind").word(Self.kinds) {
    case "capitals": self = .capitals
    case "lowercase": self = .lowercase
    case "words":
      let least = try node.optional("least")?.integer(1...10_000) ?? 1
      self = .words(least...(try node.optional("most")?.integer(least...10_000) ?? 10_000))
    case "sentences": self = .sentences(try count())
    case "lines": self = .lines(try count(), try node.required("mark").word(of: Mark.self))
    case "contains": self = .contains(try node.required("texts").texts)
    case "without": self = .without(try node.required("texts").texts)
    case "begins": self = .begins(try node.required("text").string)
    case "ends": self = .ends(try node.required("text").string)
    case "quoted": self = .quoted
    case "digits": self = .digits
    case "one_of": self = .oneOf(try node.required("texts").texts)
    default: self = .json(try node.required("keys").texts)
    }
  }
}
