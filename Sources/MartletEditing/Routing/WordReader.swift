import Foundation

/// One word of a text as it is written.
struct WrittenWord: Sendable, Equatable {
  /// What parts a word from the one before it.
  enum Gap: UInt8, Sendable, Comparable {
    /// Nothing: signs of a script without spaces, or what an apostrophe or a hyphen joins.
    case none
    case space
    /// A comma, a quotation mark, a bracket, or a line's end.
    case clause
    case sentence
    static func < (a: Gap, b: Gap) -> Bool { a.rawValue < b.rawValue }
  }

  enum Script: UInt8, Sendable {
    /// Has capitals, so that names show.
    case cased
    /// Has spaces but no capitals.
    case caseless
    /// Has no spaces: each sign is a word here.
    case unspaced
  }

  /// In lower case, without accents (Latin, Greek, Cyrillic) or vowel points (Arabic, Hebrew).
  var text: String
  /// In lower case with all its marks: what makes two questions the same to the letter.
  var exact: String
  var gap: Gap
  var script: Script
  var isCapital = false
  /// Has two letters or more, all of them capitals.
  var isAllCapitals = false
  var isNumber = false
  /// No word but a sign that means something: an emoji, or an operator between numbers.
  var isSign = false
  /// An ending that Korean writes together with its noun.
  var isParticle = false
  /// Whether a question mark stands behind it, in any script.
  var isAsked = false
  /// Where it stands in ``WordReader/text``.
  var range: Range<String.Index>
}

/// Reads the words of a text in any script.
struct WordReader {
  /// The text in composed form (NFC): its parts are what the model is asked.
  let text: String
  private(set) var words: [WrittenWord] = []

  init(_ source: String) {
    text = source.utf8.allSatisfy { $0 < 0x80 } ? source : source.precomposedStringWithCanonicalMapping
    read()
  }

  /// The part of the text that some words cover, with the mark that ends it.
  func text(of part: Range<Int>) -> String {
    guard let first = words[part].first, let last = words[part].last else { return "" }
    var end = last.range.upperBound
    if last.isAsked, end < text.endIndex { end = text.index(after: end) }
    return String(text[first.range.lowerBound..<end])
  }

  // MARK: reading

  private enum Kind { case letter, sign, mark, joiner, symbol, space, clause, sentence, question, stop, ignored }

  private mutating func read() {
    let scalars = text.unicodeScalars
    var start: String.Index?, gap = WrittenWord.Gap.sentence, index = scalars.startIndex
    var isUnspaced = false
    func end(at place: String.Index, _ words: inout [WrittenWord]) {
      guard let first = start else { return }
      start = nil
      Self.append(text[first..<place], gap: gap, isUnspaced: isUnspaced, to: &words)
      gap = .none
    }
    while index < scalars.endIndex {
      let next = scalars.index(after: index), scalar = scalars[index]
      let following = next < scalars.endIndex ? scalars[next] : nil
      switch Self.kind(of: scalar) {
      case .letter:
        if start != nil, isUnspaced { end(at: index, &words) }
        if start == nil {
          start = index
          isUnspaced = false
        }
      case .sign:
        end(at: index, &words)
        start = index
        isUnspaced = true
      case .mark:
        break
      case .ignored:
        break
      case .joiner:
        end(at: index, &words)
        // A minus, not a hyphen.
        if scalar == "-", gap == .space, following == " ", let last = words.last, last.isNumber {
          words.append(
            WrittenWord(text: "-", exact: "-", gap: gap, script: .cased, isSign: true, range: index..<next))
          gap = .space
        }
      case .symbol:
        end(at: index, &words)
        if gap == .none { gap = .space }
        if Self.means(scalar, before: following, behind: words.last, gap: gap) {
          words.append(
            WrittenWord(
              text: String(scalar), exact: String(scalar), gap: gap, script: .cased, isSign: true, range: index..<next))
          gap = .space
        } else if scalar == "+" || scalar == "#", var last = words.last, last.range.upperBound == index,
          !last.isNumber
        {
          // C++, C#
          last.text.unicodeScalars.append(scalar)
          last.exact.unicodeScalars.append(scalar)
          last.range = last.range.lowerBound..<next
          words[words.count - 1] = last
        }
      case .space:
        end(at: index, &words)
        gap = max(gap, .space)
      case .clause:
        end(at: index, &words)
        gap = max(gap, .clause)
      case .sentence, .question:
        end(at: index, &words)
        gap = .sentence
        if Self.kind(of: scalar) == .question, !words.isEmpty { words[words.count - 1].isAsked = true }
      case .stop:
        // A full stop ends a sentence where a space follows and the word before is no initial or abbreviation.
        let isNumber = start != nil && following.map { $0.properties.numericType != nil } ?? false
        end(at: index, &words)
        if isNumber {
          gap = .none
        } else if following == nil || following?.properties.isWhitespace == true || following == "\"" {
          gap = words.last.map { Self.isAbbreviation($0) } ?? false ? max(gap, .space) : .sentence
        } else {
          gap = max(gap, .space)
        }
      }
      index = next
    }
    end(at: scalars.endIndex, &words)
  }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    let value = scalar.value
    switch value {
    case 0x61...0x7a, 0x41...0x5a, 0x30...0x39: return .letter
    case 0x20, 0x09, 0xa0: return .space
    case 0x2e: return .stop
    case 0x3f, 0x61f, 0xff1f, 0x1367, 0x55e, 0x37e, 0x2047, 0x2048, 0x2049: return value == 0x55e ? .ignored : .question
    case 0x21, 0x3b, 0x0a, 0x0d, 0x2026, 0x3002, 0xff01, 0xff0e, 0xff61, 0x964, 0x965, 0x6d4, 0x589, 0x1362, 0x104a,
      0x104b, 0x17d4, 0x17d5, 0x61b, 0xff1b, 0x2028, 0x2029, 0xbf, 0xa1, 0x203d:
      return .sentence
    case 0x27, 0x2019, 0x2d, 0x2010, 0x2011, 0x30fb, 0xb7: return .joiner
    case 0x5f3, 0x5f4, 0x640, 0xad: return .ignored
    case 0x2b, 0x23, 0x2f, 0x2a, 0x5e, 0x25, 0x3d, 0x3c, 0x3e, 0xd7, 0xf7, 0x2212: return .symbol
    case 0..<0x80: return .clause
    default: break
    }
    if isSign(value) { return .sign }
    let properties = scalar.properties
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber:
      return .letter
    case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
    case .format, .control: return .ignored
    case .spaceSeparator: return .space
    case .mathSymbol, .otherSymbol, .modifierSymbol, .currencySymbol: return .symbol
    case .dashPunctuation where value != 0x2013: return .clause
    case .dashPunctuation: return .joiner
    default: return .clause
    }
  }

  /// Han, kana, Thai, Lao, Tibetan, Burmese, Khmer and their neighbours.
  private static func isSign(_ value: UInt32) -> Bool {
    switch value {
    case 0x3041...0x3096, 0x309d...0x309f, 0x30a1...0x30fa, 0x30fc...0x30ff, 0x3400...0x4dbf, 0x4e00...0x9fff,
      0xf900...0xfaff, 0x20000...0x3ffff, 0xff66...0xff9d:
      return true
    case 0xe01...0xe30, 0xe32...0xe33, 0xe40...0xe46, 0xe81...0xeb0, 0xeb2...0xeb3, 0xec0...0xec6, 0xedc...0xedf,
      0x1000...0x102a, 0x1780...0x17b3, 0xf40...0xf6c:
      return true
    default: return false
    }
  }

  /// Whether a symbol is part of what is asked: an operator between numbers, or a picture.
  private static func means(
    _ symbol: Unicode.Scalar, before next: Unicode.Scalar?, behind last: WrittenWord?, gap: WrittenWord.Gap
  ) -> Bool {
    if symbol.properties.isEmojiPresentation || symbol.properties.generalCategory == .otherSymbol { return true }
    guard gap <= .space, let last, last.isNumber else { return false }
    return symbol != "#" && symbol != "%" && (next == " " || next?.properties.numericType != nil)
  }

  private static func isAbbreviation(_ word: WrittenWord) -> Bool {
    word.isCapital && word.text.unicodeScalars.count == 1
      || ["dr", "mr", "mrs", "ms", "st", "prof", "vs", "jr", "sr", "mt", "ft", "gen", "col", "rev"].contains(word.text)
  }

  private static func append(
    _ part: Substring, gap: WrittenWord.Gap, isUnspaced: Bool, to words: inout [WrittenWord]
  ) {
    var word = WrittenWord(
      text: "", exact: "", gap: gap, script: isUnspaced ? .unspaced : .cased, range: part.startIndex..<part.endIndex)
    if part.utf8.allSatisfy({ $0 < 0x80 }) {
      word.text = part.lowercased()
      word.exact = word.text
      let bytes = part.utf8
      word.isCapital = bytes.first.map { $0 & 0x20 == 0 && $0 >= 0x41 } ?? false
      word.isAllCapitals = bytes.count > 1 && bytes.allSatisfy { $0 & 0x20 == 0 && $0 >= 0x41 }
      word.isNumber = bytes.contains { $0 < 0x3a }
      if word.isNumber { word.text = withoutOrdinal(word.text) }
      words.append(word)
      return
    }
    if isUnspaced, part.unicodeScalars.count == 1 {
      word.text = String(part)
      word.exact = word.text
      words.append(word)
      return
    }
    word.exact = part.lowercased()
    if part.unicodeScalars.contains(where: { $0.value > 0x2000 && !(0xac00...0xd7a3).contains($0.value) }) {
      // Full width, ligatures.
      word.exact = word.exact.precomposedStringWithCompatibilityMapping
    }
    word.text = folded(word.exact)
    let letters = part.unicodeScalars.filter { $0.properties.isAlphabetic }
    word.isNumber = part.unicodeScalars.contains { $0.properties.numericType == .decimal }
    word.isCapital = letters.first?.properties.isUppercase ?? false
    word.isAllCapitals = letters.count > 1 && letters.allSatisfy { $0.properties.isUppercase }
    if !isUnspaced, !word.isNumber, !letters.contains(where: { $0.properties.isCased && $0.value < 0x10a0 }) {
      word.script = .caseless
    }
    guard let first = letters.first?.value, (0xac00...0xd7a3).contains(first) else {
      words.append(word)
      return
    }
    // Korean: noun and ending are written together, and whether two nouns are is a matter of taste.
    let syllables = Array(part), ending = koreanEnding(syllables.map(String.init).joined())
    var place = part.startIndex
    for (number, syllable) in syllables.enumerated() {
      var one = word
      one.text = String(syllable).lowercased()
      one.exact = one.text
      one.gap = number == 0 ? gap : .none
      one.script = .unspaced
      one.isParticle = number >= syllables.count - ending
      one.isCapital = false
      let next = part.index(after: place)
      one.range = place..<next
      place = next
      words.append(one)
    }
  }

  /// `3rd` as `3`.
  private static func withoutOrdinal(_ word: String) -> String {
    let digits = word.prefix { $0.isASCII && $0.isNumber }
    return ["st", "nd", "rd", "th"].contains(word.dropFirst(digits.count)) ? String(digits) : word
  }

  /// Without what is often left out in writing: accents, vowel points, forms of one letter.
  private static func folded(_ word: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in word.decomposedStringWithCanonicalMapping.unicodeScalars {
      switch scalar.value {
      case 0x300...0x36f, 0x591...0x5c7, 0x64b...0x65f, 0x670, 0x640, 0x200b...0x200f, 0xfe00...0xfe0f: continue
      case 0xdf: result.append(contentsOf: "ss".unicodeScalars)
      case 0x131: result.append("i")
      case 0x142: result.append("l")
      case 0xf8: result.append("o")
      case 0x3c2: result.append("σ")
      case 0x622, 0x623, 0x625, 0x671: result.append("\u{627}")
      case 0x649, 0x6cc: result.append("\u{64a}")
      case 0x629: result.append("\u{647}")
      case 0x6a9: result.append("\u{643}")
      default:
        if scalar.value > 0x7f, scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue {
          result.append(contentsOf: String(Int(value)).unicodeScalars)
        } else {
          result.append(scalar)
        }
      }
    }
    return String(result).precomposedStringWithCanonicalMapping
  }

  /// How many syllables at a word's end are its ending.
  private static func koreanEnding(_ word: String) -> Int {
    koreanEndings.first { word.hasSuffix($0) && word.count > $0.count }?.count ?? 0
  }

  private static let koreanEndings = """
    이었습니까 였습니까 했습니까 었습니까 았습니까 습니까 입니까 인가요 이에요 이었나요 였나요 했나요 었나요 나요 합니까 됩니까 에게서 에서는 \
    으로는 이라는 이란 께서는 에서 에게 으로 께서 까지 부터 처럼 보다 예요 이죠 인지 이야 이나 는요 은요 은 는 이 가 을 를 의 에 로 와 과 도 만 야 요 죠
    """.split(separator: " ").map(String.init)
}
