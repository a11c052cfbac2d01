import MartletData
import MartletModels

/// When two answers are the same.
struct AnswerComparison: Sendable {
  var ignoresCase = false
  var ignoresPunctuation = false
  /// What is taken out of both before they are compared.
  var ignored: [TextPattern] = []
  /// The most that two numbers may differ by; nil where texts are compared.
  var tolerance: Double?

  init() {}

  init(_ node: JSONNode) throws {
    ignoresCase = try node.optional("ignore_case")?.bool ?? false
    ignoresPunctuation = try node.optional("ignore_punctuation")?.bool ?? false
    ignored =
      try node.optional("ignore")?.elements.map { node in
        do { return try TextPattern(try node.string) } catch is TextPatternError {
          throw node.failure("`\(try node.string)` is no regular expression; correct it, with \\\\ for each \\ in JSON")
        }
      } ?? []
    if let tolerance = node.optional("tolerance") {
      guard let number = tolerance.value.number, number >= 0 else {
        throw tolerance.failure("`\(tolerance.name)` must be a number of at least 0")
      }
      self.tolerance = number
    }
  }

  func areSame(_ one: String, _ other: String) -> Bool {
    let (one, other) = (normalized(one), normalized(other))
    if let tolerance, let first = Self.number(one), let second = Self.number(other) {
      return abs(first - second) <= tolerance
    }
    return one.utf8.elementsEqual(other.utf8)
  }

  private func normalized(_ text: String) -> String {
    var text = ignored.reduce(text) { $1.replacing(in: $0, with: "") }
    if ignoresCase { text = text.lowercased() }
    if ignoresPunctuation { text = text.withoutPunctuation }
    return text
  }

  private static func number(_ text: String) -> Double? {
    Double(text.strippedOfSpace.filter { $0 != "," && $0 != "$" }).flatMap { $0.isFinite ? $0 : nil }
  }
}

/// Comparison of answers as SQuAD does it (Rajpurkar et al. 2016): small letters, no punctuation, no articles, single spaces.
enum SquadAnswer {
  private static let articles = try? TextPattern("\\b(a|an|the)\\b")

  /// The words as UTF-8, so that only the same letters are equal.
  static func words(_ text: String) -> [[UInt8]] {
    let text = text.lowercased().withoutPunctuation
    return (articles?.replacing(in: text, with: " ") ?? text).unicodeScalars.split(
      whereSeparator: \.properties.isWhitespace
    )
    .map { Array(String($0).utf8) }
  }

  /// Whether both are the same words.
  static func areSame(_ one: String, _ other: String) -> Bool { words(one) == words(other) }

  /// The harmonic mean of the shares of words that both have; of an answer without words, whether both are without.
  static func f1(_ one: String, _ other: String) -> Double {
    let one = words(one), other = words(other)
    guard !one.isEmpty, !other.isEmpty else { return one == other ? 1 : 0 }
    var left = Dictionary(grouping: other) { $0 }.mapValues(\.count)
    var common = 0
    for word in one where left[word, default: 0] > 0 {
      left[word, default: 0] -= 1
      common += 1
    }
    guard common > 0 else { return 0 }
    let precision = Double(common) / Double(one.count), recall = Double(common) / Double(other.count)
    return 2 * precision * recall / (precision + recall)
  }
}

extension String {
  /// Without the punctuation of ASCII (Python's `string.punctuation`).
  var withoutPunctuation: String {
    var text = ""
    text.unicodeScalars.append(
      contentsOf: unicodeScalars.filter { scalar in
        switch scalar.value {
        case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: false
        default: true
        }
      })
    return text
  }
}
