import Foundation
import MartletData

/// Rules for questions whose answers are choices, yes or no, or words.
extension AnswerRule {
  // MARK: choices

  /// Behind an announcement: (B), B), B., B: or B alone.
  private static let announcedLetter = try? TextPattern("^\\s*(?:option|choice)?\\s*\\(?([A-Z])\\)?(?![A-Za-z0-9'’])")
  /// Anywhere: (B).
  private static let letterInParentheses = try? TextPattern("\\(([A-Z])\\)")
  private static let bareLetter = try? TextPattern("^\\s*\\(?([A-Za-z])[).:]?\\s*$")

  /// The letter that an option begins with, such as `A)21`, and the text behind it.
  private static func parts(_ choice: String, _ index: Int) -> (letter: String, text: String) {
    let letter = String(UnicodeScalar(UInt8(65 + min(index, 25))))
    for mark in [")", ".", ":"] {
      for begin in ["", "("] where choice.hasPrefix(begin + letter + mark) {
        return (letter, String(choice.dropFirst((begin + letter + mark).count)).strippedOfSpace)
      }
    }
    return (letter, choice.strippedOfSpace)
  }

  private static func words(_ text: String) -> [[UInt8]] { SquadAnswer.words(text) }

  /// The letter of the option that a text names by its words: of several the one that is named last, and of those that end
  /// together the longest.
  private static func letterOfWords(in text: String, _ choices: [String]) -> String? {
    let all = words(text)
    var best: (end: Int, length: Int, letter: String)?
    for (index, choice) in choices.enumerated() {
      let (letter, option) = parts(choice, index)
      let wanted = words(option)
      guard !wanted.isEmpty, wanted.count <= all.count else { continue }
      let end = (wanted.count...all.count).last { all[$0 - wanted.count..<$0].elementsEqual(wanted) }
      guard let end else { continue }
      if best.map({ (end, wanted.count) > ($0.end, $0.length) }) ?? true { best = (end, wanted.count, letter) }
    }
    return best?.letter
  }

  private static func isKnown(_ letter: String, _ choices: [String]) -> Bool {
    choices.isEmpty || (letter.utf8.first.map { Int($0) - 65 < choices.count } ?? false)
  }

  /// The letter of the option that a right answer names: by its letter, by its whole text, or by its words; nil if it names none.
  private static func rightLetter(_ answer: String, _ choices: [String]) -> String? {
    if let letter = bareLetter?.found(in: answer).first?.uppercased() { return isKnown(letter, choices) ? letter : nil }
    for (index, choice) in choices.enumerated() {
      let (letter, text) = parts(choice, index)
      if text == answer.strippedOfSpace || choice == answer { return letter }
    }
    return letter(in: answer, choices)
  }

  private static func letter(in text: String, _ choices: [String]) -> String? {
    let isKnown = { (letter: String) in Self.isKnown(letter, choices) }
    if let mark = AnswerMark.last(in: text) {
      let said = String(text[mark.upperBound...].prefix { $0 != "\n" })
      if let letter = announcedLetter?.found(in: said).first, isKnown(letter) { return letter }
      if let letter = letterOfWords(in: said, choices) { return letter }
      if let letter = letterInParentheses?.found(in: said).first, isKnown(letter) { return letter }
    }
    if let letter = bareLetter?.found(in: text).first?.uppercased(), isKnown(letter) { return letter }
    if let letter = letterInParentheses?.found(in: text).last(where: isKnown) { return letter }
    return letterOfWords(in: text, choices)
  }

  static let choice = AnswerRule(
    "choice",
    "the letter of an option, or the letter of the option whose words the text names, behind “The answer is” if it is there; options with the same words are equal",
    extraction: { text, choices in letter(in: text, choices) },
    reading: { answer, choices in [rightLetter(answer, choices) ?? answer] },
    comparison: { extracted, right, choices in
      if extracted == right { return true }
      func text(_ letter: String) -> String? {
        guard let place = letter.utf8.first.map({ Int($0) - 65 }), choices.indices.contains(place) else { return nil }
        return parts(choices[place], place).text
      }
      guard let one = text(extracted), let other = text(right) else { return false }
      return one == other
    }, comparability: { answer, choices in rightLetter(answer, choices) != nil })

  // MARK: yes and no

  /// `yes` or `no` among words; nil for others.
  private static func decision(_ words: [[UInt8]], last: Bool) -> String? {
    let found = words.map { String(decoding: $0, as: UTF8.self) }.compactMap { word -> String? in
      switch word {
      case "yes", "true": "yes"
      case "no", "false": "no"
      default: nil
      }
    }
    return last ? found.last : found.first
  }

  static let yesNo = AnswerRule(
    "yes-no", "the first yes or no (true or false) behind “The answer is”, else the last one of the text",
    extraction: { text, _ in
      if let mark = AnswerMark.last(in: text),
        let found = decision(words(String(text[mark.upperBound...])), last: false)
      {
        return found
      }
      return decision(words(text), last: true)
    }, reading: { answer, _ in [decision(words(answer), last: true) ?? answer] },
    comparison: { extracted, right, _ in extracted == right },
    comparability: { answer, _ in decision(words(answer), last: true) != nil })

  // MARK: words

  static let exact = AnswerRule(
    "exact",
    "the text behind the last “The answer is” on its line, else the whole text, without a point at the end and quotation marks; the same characters",
    extraction: { text, _ in AnswerMark.statement(in: text) ?? AnswerMark.bare(text) },
    reading: { answer, _ in [AnswerMark.bare(answer) ?? answer] },
    comparison: { extracted, right, _ in extracted.utf8.elementsEqual(right.utf8) })

  private static let bigBenchHard = AnswerFilter(name: "bbh", finding: ["(?<=the answer is )(.*)(?=.)"])

  static let bbh = AnswerRule(
    "bbh",
    "the text between “the answer is” and the last character of its line, as lm-evaluation-harness's bbh_cot_fewshot",
    extraction: { text, _ in
      let found = bigBenchHard.answer(in: text)
      return found.isFound ? found.text : nil
    }, comparison: { extracted, right, _ in extracted.utf8.elementsEqual(right.utf8) })

  static let aliases = AnswerRule(
    "aliases",
    "the text behind the last “The answer is”, else the first line; equal to one of the answers without case and punctuation, as TriviaQA",
    extraction: { text, _ in
      AnswerMark.statement(in: text)
        ?? text.split(whereSeparator: \.isNewline).lazy.compactMap { AnswerMark.bare($0) }.first
    },
    comparison: { extracted, right, _ in
      var comparison = AnswerComparison()
      (comparison.ignoresCase, comparison.ignoresPunctuation) = (true, true)
      return comparison.areSame(extracted.strippedOfSpace, right.strippedOfSpace)
    })

  static let lastLetters = AnswerRule(
    "last-letters",
    "the letters behind the last “The answer is”, else the last word; without case, spaces and punctuation (Wei et al. 2022)",
    extraction: { text, _ in
      func letters(_ text: some StringProtocol) -> String? {
        let letters = String(text).withoutPunctuation.lowercased().filter { !$0.isWhitespace }
        return letters.isEmpty ? nil : letters
      }
      if let statement = AnswerMark.statement(in: text) { return letters(statement) }
      return text.split(whereSeparator: \.isWhitespace).lazy.reversed().compactMap { letters($0) }.first
    },
    reading: { answer, _ in [answer.withoutPunctuation.lowercased().filter { !$0.isWhitespace }] },
    comparison: { extracted, right, _ in extracted == right })
}
