/// Whether two words are forms of one.
enum WordForms {
  enum Likeness: UInt8, Comparable {
    case none
    /// A slip of the pen: one letter more, less, other or exchanged.
    case slip
    /// An inflection, or an article or preposition written together with it.
    case inflected
    case equal
    static func < (a: Likeness, b: Likeness) -> Bool { a.rawValue < b.rawValue }
  }

  /// - Parameter isName: names are not inflected in Latin script, and slips in them are other names.
  static func likeness(_ a: String, _ b: String, isName: Bool) -> Likeness {
    if a == b { return .equal }
    let x = Array(core(a)), y = Array(core(b))
    guard let first = x.first, let other = y.first else { return .none }
    if x == y { return .inflected }
    guard x.count > 1, y.count > 1, x.allSatisfy(isLetter), y.allSatisfy(isLetter) else { return .none }
    let shared = zip(x, y).prefix { $0 == $1 }.count
    let rest = max(x.count, y.count) - shared
    if first.value < 0x250 {
      if isName {
        // The genitive and the plural.
        return rest == 1 && shared >= 3 && (x.last == "s" || y.last == "s") && x.count != y.count ? .inflected : .none
      }
      if shared >= 3, endings.contains(String(String.UnicodeScalarView(x.dropFirst(shared)))),
        endings.contains(String(String.UnicodeScalarView(y.dropFirst(shared)))), shared >= 4 || rest <= 3
      {
        return .inflected
      }
      return isSlip(x, y) ? .slip : .none
    }
    guard first == other else { return .none }
    // Endings carry the case and the article in most scripts.
    if shared >= 3 || shared == 2 && max(x.count, y.count) <= 4, rest <= (shared > 4 ? 4 : 3),
      shared * 5 >= max(x.count, y.count) * 3
    {
      return .inflected
    }
    return !isName && isSlip(x, y) ? .slip : .none
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { !(0x30...0x39).contains(scalar.value) }

  private static let endings: Set<String> = Set(
    """
    s es ed d er ers r rs or ors ing ion ions ation ations al ally e ed y ies ied ment ments able en n an ian t te ted \
    ting ter tor tion st
    """.split(separator: " ").map(String.init) + [""])

  /// A word without the article, the preposition or the conjunction that Arabic and Hebrew write together with it.
  static func core(_ word: String) -> Substring.UnicodeScalarView {
    var scalars = word[...].unicodeScalars
    guard let first = scalars.first?.value else { return scalars }
    let clitics: [String]
    switch first {
    case 0x600...0x6ff: clitics = ["وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ك", "ف"]
    case 0x5d0...0x5ea: clitics = ["שה", "וה", "מה", "ה", "ו", "ב", "ל", "מ", "ש", "כ"]
    default: return scalars
    }
    for clitic in clitics where scalars.count >= clitic.unicodeScalars.count + 3 && word.hasPrefix(clitic) {
      scalars.removeFirst(clitic.unicodeScalars.count)
      break
    }
    return scalars
  }

  /// Whether one insertion, deletion, replacement or exchange of neighbours makes one of the other; of short words,
  /// which have many neighbours, only an exchange. O(letters).
  private static func isSlip(_ x: [Unicode.Scalar], _ y: [Unicode.Scalar]) -> Bool {
    guard abs(x.count - y.count) <= 1, min(x.count, y.count) >= 3 else { return false }
    let front = zip(x, y).prefix { $0 == $1 }.count
    let back = min(zip(x.reversed(), y.reversed()).prefix { $0 == $1 }.count, min(x.count, y.count) - front)
    let a = x.count - front - back, b = y.count - front - back
    if a == 2, b == 2, x[front] == y[front + 1], x[front + 1] == y[front] { return true }
    return max(a, b) <= 1 && min(x.count, y.count) >= 5
  }
}
