/// The names that `\p{...}` and `[:...:]` may hold.
enum UnicodeProperty {
  /// Spaces, underscores, hyphens and case do not matter in a name.
  static func set(named name: String) -> ScalarSet? {
    let name = plain(name)
    if let categories = categories[name] { return .categories(categories) }
    switch name {
    case "alpha", "alphabetic": return .alphabetic
    case "digit": return .categories(.decimalNumber)
    case "alnum": return .union([.alphabetic, .categories(.decimalNumber)])
    case "space", "whitespace": return .whiteSpace
    case "word": return .word
    case "punct": return .categories(CategorySet.punctuation.union(.symbol))
    case "cntrl": return .categories(.control)
    case "blank": return .union([.categories(.spaceSeparator), .ranges([9...9])])
    case "xdigit": return .ranges([48...57, 65...70, 97...102])
    case "any": return .complement(.ranges([]))
    case "ascii": return .ranges([0...127])
    default: return ScriptRanges.set(named: name)
    }
  }

  /// Whether letters that differ by case alone stand on different sides.
  static func dependsOnCase(_ name: String) -> Bool {
    ["lu", "ll", "lt", "uppercaseletter", "lowercaseletter", "titlecaseletter"].contains(plain(name))
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().unicodeScalars.filter { $0 != " " && $0 != "_" && $0 != "-" })
  }

  private static let categories: [String: CategorySet] = [
    "l": .letter, "letter": .letter, "lu": .uppercase, "uppercaseletter": .uppercase, "ll": .lowercase,
    "lowercaseletter": .lowercase, "lt": .titlecase, "titlecaseletter": .titlecase, "lm": .modifierLetter,
    "modifierletter": .modifierLetter, "lo": .otherLetter, "otherletter": .otherLetter, "m": .mark, "mark": .mark,
    "mn": .nonspacingMark, "nonspacingmark": .nonspacingMark, "mc": .spacingMark, "spacingmark": .spacingMark,
    "me": .enclosingMark, "enclosingmark": .enclosingMark, "n": .number, "number": .number, "nd": .decimalNumber,
    "decimalnumber": .decimalNumber, "nl": .letterNumber, "letternumber": .letterNumber, "no": .otherNumber,
    "othernumber": .otherNumber, "p": .punctuation, "punctuation": .punctuation, "pc": .connectorPunctuation,
    "connectorpunctuation": .connectorPunctuation, "pd": .dashPunctuation, "dashpunctuation": .dashPunctuation,
    "ps": .openPunctuation, "openpunctuation": .openPunctuation, "pe": .closePunctuation,
    "closepunctuation": .closePunctuation, "pi": .initialPunctuation, "initialpunctuation": .initialPunctuation,
    "pf": .finalPunctuation, "finalpunctuation": .finalPunctuation, "po": .otherPunctuation,
    "otherpunctuation": .otherPunctuation, "s": .symbol, "symbol": .symbol, "sm": .mathSymbol,
    "mathsymbol": .mathSymbol, "sc": .currencySymbol, "currencysymbol": .currencySymbol, "sk": .modifierSymbol,
    "modifiersymbol": .modifierSymbol, "so": .otherSymbol, "othersymbol": .otherSymbol, "z": .separator,
    "separator": .separator, "zs": .spaceSeparator, "spaceseparator": .spaceSeparator, "zl": .lineSeparator,
    "lineseparator": .lineSeparator, "zp": .paragraphSeparator, "paragraphseparator": .paragraphSeparator,
    "c": .other, "other": .other, "cc": .control, "control": .control, "cf": .format, "format": .format,
    "co": .privateUse, "privateuse": .privateUse, "cn": .unassigned, "unassigned": .unassigned,
  ]
}
