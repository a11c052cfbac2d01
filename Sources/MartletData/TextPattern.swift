import Foundation

/// A regular expression in the syntax of Python's module `re`, with groups. Unlike a tokenizer's patterns it is written by whoever runs
/// the program, so its work is not bounded.
package struct TextPattern: Sendable {
  /// What the expression matched in one place.
  package struct Match: Sendable, Equatable {
    /// The whole match.
    package let text: String
    /// The texts of its groups; empty where a group took no part.
    package let groups: [String]

    package init(text: String, groups: [String]) { (self.text, self.groups) = (text, groups) }
  }

  private let expression: NSRegularExpression

  /// - Throws: ``TextPatternError`` where it is not understood.
  package init(_ pattern: String) throws(TextPatternError) {
    // Python names groups with a P.
    let pattern = pattern.replacingOccurrences(of: "(?P<", with: "(?<")
    do {
      // In Python a line ends with \n alone.
      expression = try NSRegularExpression(pattern: pattern, options: .useUnixLineSeparators)
    } catch { throw TextPatternError() }
  }

  /// All matches from left to right, as `finditer` gives them.
  package func matches(in text: String) -> [Match] {
    let whole = text as NSString
    return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map { match in
      let texts = (0..<match.numberOfRanges).map { group in
        let range = match.range(at: group)
        return range.location == NSNotFound ? "" : whole.substring(with: range)
      }
      return Match(text: texts[0], groups: Array(texts.dropFirst()))
    }
  }

  /// What `findall` gives for the matches: the one group's text, or the first of several groups' texts that is not empty, or the whole match
  /// where there are no groups.
  package func found(in text: String) -> [String] {
    matches(in: text).map { match in
      switch match.groups.count {
      case 0: match.text
      case 1: match.groups[0]
      default: match.groups.first { !$0.isEmpty } ?? ""
      }
    }
  }

  /// The text with every match replaced, as `sub` does it; `\1` in the replacement is the text of the first group.
  package func replacing(in text: String, with replacement: String) -> String {
    var template = ""
    var characters = replacement[...]
    while let character = characters.popFirst() {
      switch character {
      case "$": template += "\\$"
      case "\\":
        guard let next = characters.popFirst() else {
          template += "\\\\"
          break
        }
        switch next {
        case "0"..."9": template += "$\(next)"
        case "n": template += "\n"
        case "t": template += "\t"
        default: template += "\\\(next)"
        }
      default: template.append(character)
      }
    }
    let range = NSRange(location: 0, length: (text as NSString).length)
    return expression.stringByReplacingMatches(in: text, range: range, withTemplate: template)
  }
}

/// A regular expression that is not understood.
package struct TextPatternError: Error {}
