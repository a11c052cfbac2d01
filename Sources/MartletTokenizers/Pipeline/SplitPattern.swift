/// What a pre-tokenizer, normalizer or decoder looks for in a text.
enum SplitPattern: Sendable, Equatable {
  /// A known regular expression whose matches cover every text.
  case words(WordScanner)
  case expression(RegularExpression)
  case literal([Unicode.Scalar])
  /// Each scalar of a class is a match.
  case scalars(ScalarClass)
  /// `\w+|[^\w\s]+`
  case wordsAndSymbols

  /// Classes of single scalars, in the Unicode versions of the programs that define them.
  enum ScalarClass: Sendable {
    case number, punctuation, whiteSpace

    @inline(__always)
    func contains(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .whiteSpace: return scalar.isWhiteSpace
      case .number:
        if scalar.isASCII { return (48...57).contains(scalar.value) }
        return !CategorySet(newest: scalar.properties.generalCategory).isDisjoint(with: .number)
      case .punctuation:
        switch scalar.value {
        case 33...47, 58...64, 91...96, 123...126: return true
        case 0...127: return false
        case 0x166d, 0x111c9: return true  // punctuation in Unicode 8
        default:
          return !scalar.category.isDisjoint(with: .punctuation) && scalar.isAssigned(in: 8)
        }
      }
    }
  }

  /// - Parameter expression: a regular expression in Oniguruma's syntax.
  /// - Throws: ``RegularExpressionError``
  init(expression: String) throws {
    self = try WordScanner(expression: expression).map(SplitPattern.words) ?? .expression(RegularExpression(expression))
  }

  /// Matches of the text in `range`, which is seen as a text of its own, in order.
  func matches(in text: [Unicode.Scalar], _ range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    switch self {
    case .words(let scanner):
      let classes = text[range].map(CharacterClass.init)
      scanner.words(in: Array(text[range]), classes: classes, 0..<range.count, into: &found)
      return found.map { $0.lowerBound + range.lowerBound..<$0.upperBound + range.lowerBound }
    case .expression(let expression): return expression.matches(in: text, range)
    case .literal(let literal):
      // An empty text is found between all scalars, as a regular expression finds it.
      if literal.isEmpty { return (range.lowerBound...range.upperBound).map { $0..<$0 } }
      var at = range.lowerBound
      while at + literal.count <= range.upperBound {
        if text[at] == literal[0], text[at..<at + literal.count].elementsEqual(literal) {
          found.append(at..<at + literal.count)
          at += literal.count
        } else {
          at += 1
        }
      }
    case .scalars(let set):
      for at in range where set.contains(text[at]) { found.append(at..<at + 1) }
    case .wordsAndSymbols:
      var at = range.lowerBound
      while at < range.upperBound {
        let start = at
        let isWord = text[at].isWord
        if !isWord, text[at].isWhiteSpace {
          at += 1
          continue
        }
        while at < range.upperBound, text[at].isWord == isWord, isWord || !text[at].isWhiteSpace { at += 1 }
        found.append(start..<at)
      }
    }
    return found
  }
}

extension Unicode.Scalar {
  /// `\w` of Rust's regular expressions (Unicode 16), which tokenizers use where no Oniguruma is.
  var isWord: Bool {
    if isASCII { return CharacterClass(self) == .letter || CharacterClass(self) == .number || self == "_" }
    return ScalarSet.word.contains(self) || properties.isJoinControl
  }
}

/// What becomes of the matches that a text is split at.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// Pieces of `range`, of which `matches` (in order, possibly empty) are matches; empty pieces are left out.
  ///
  /// - Parameter inverted: what lies between matches counts as match, and matches as text.
  func pieces(of range: Range<Int>, matches: [Range<Int>], inverted: Bool) -> [Range<Int>] {
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    var start = range.lowerBound
    for match in matches {
      if start != match.lowerBound { parts.append((start..<match.lowerBound, inverted)) }
      parts.append((match, !inverted))
      start = match.upperBound
    }
    if start != range.upperBound { parts.append((start..<range.upperBound, inverted)) }
    var pieces: [Range<Int>] = []
    var previous = false
    switch self {
    case .isolated: pieces = parts.map(\.range)
    case .removed: pieces = parts.filter { !$0.isMatch }.map(\.range)
    case .contiguous:
      for part in parts {
        if part.isMatch == previous, let last = pieces.last {
          pieces[pieces.count - 1] = last.lowerBound..<part.range.upperBound
        } else {
          pieces.append(part.range)
        }
        previous = part.isMatch
      }
    case .mergedWithPrevious:
      for part in parts {
        if part.isMatch, !previous, let last = pieces.last {
          pieces[pieces.count - 1] = last.lowerBound..<part.range.upperBound
        } else {
          pieces.append(part.range)
        }
        previous = part.isMatch
      }
    case .mergedWithNext:
      for part in parts.reversed() {
        if part.isMatch, !previous, let last = pieces.last {
          pieces[pieces.count - 1] = part.range.lowerBound..<last.upperBound
        } else {
          pieces.append(part.range)
        }
        previous = part.isMatch
      }
      pieces.reverse()
    }
    return pieces.filter { !$0.isEmpty }
  }
}
