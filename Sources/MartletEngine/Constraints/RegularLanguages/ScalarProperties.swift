import Synchronization

/// What the letters after a backslash stand for.
extension ScalarSet {
  static func digit(_ dialect: RegularExpressionDialect) -> ScalarSet {
    dialect == .ecma ? ScalarSet([0x30...0x39]) : category("Nd")
  }

  static func word(_ dialect: RegularExpressionDialect) -> ScalarSet {
    dialect == .ecma ? ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]) : unicodeWord
  }
  private static let unicodeWord = category("L").union(category("N")).union(ScalarSet("_"))

  static func space(_ dialect: RegularExpressionDialect) -> ScalarSet {
    let shared = category("Z").union(ScalarSet([0x09...0x0d]))
    return shared.union(dialect == .ecma ? ScalarSet("\u{feff}") : ScalarSet([0x1c...0x1f, 0x85...0x85]))
  }

  private static func category(_ name: String) -> ScalarSet { categories[name] ?? .empty }

  /// A property as it stands in `\p{…}`: a general category by either name, or a binary property; nil if not known.
  static func property(_ name: String) -> ScalarSet? {
    let parts = name.split(separator: "=", omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard parts[0] == "gc" || parts[0] == "General_Category" else { return nil }
      return categories[String(parts[1])]
    }
    switch name {
    case "Any": return .all
    case "ASCII": return ScalarSet([0...0x7f])
    case "Assigned": return categories["Cn"]?.inverted
    default: return categories[name] ?? binarySet(name)
    }
  }

  /// Binary properties that were asked for, as finding one looks at every character.
  private static let found = Mutex<[String: ScalarSet]>([:])

  private static func binarySet(_ name: String) -> ScalarSet? {
    guard let property = binary[name] else { return nil }
    if let known = found.withLock({ $0[name] }) { return known }
    let set = scanned { property($0) }
    found.withLock { $0[name] = set }
    return set
  }

  private static let binary: [String: @Sendable (Unicode.Scalar.Properties) -> Bool] = [
    "Alphabetic": { $0.isAlphabetic }, "Alpha": { $0.isAlphabetic },
    "Lowercase": { $0.isLowercase }, "Lower": { $0.isLowercase },
    "Uppercase": { $0.isUppercase }, "Upper": { $0.isUppercase },
    "White_Space": { $0.isWhitespace }, "space": { $0.isWhitespace },
    "Emoji": { $0.isEmoji }, "Emoji_Presentation": { $0.isEmojiPresentation },
    "Ideographic": { $0.isIdeographic }, "Ideo": { $0.isIdeographic },
    "ID_Start": { $0.isIDStart }, "IDS": { $0.isIDStart },
    "ID_Continue": { $0.isIDContinue }, "IDC": { $0.isIDContinue },
    "XID_Start": { $0.isXIDStart }, "XIDS": { $0.isXIDStart },
    "XID_Continue": { $0.isXIDContinue }, "XIDC": { $0.isXIDContinue },
    "Math": { $0.isMath }, "Dash": { $0.isDash }, "Hex_Digit": { $0.isHexDigit }, "Hex": { $0.isHexDigit },
    "ASCII_Hex_Digit": { $0.isASCIIHexDigit }, "AHex": { $0.isASCIIHexDigit },
    "Cased": { $0.isCased }, "Diacritic": { $0.isDiacritic }, "Dia": { $0.isDiacritic },
    "Quotation_Mark": { $0.isQuotationMark }, "QMark": { $0.isQuotationMark },
  ]

  /// Where Unicode has given characters out, and not whole planes to one use.
  private static let scattered: [ClosedRange<UInt32>] = [0...0xd7ff, 0xe000...0x3ffff, 0xe0000...0xe0fff]

  private static func scanned(_ isMember: (Unicode.Scalar.Properties) -> Bool) -> ScalarSet {
    var ranges: [ClosedRange<UInt32>] = []
    for value in scattered.joined() {
      guard let scalar = Unicode.Scalar(value), isMember(scalar.properties) else { continue }
      if let last = ranges.last, last.upperBound + 1 == value {
        ranges[ranges.count - 1] = last.lowerBound...value
      } else {
        ranges.append(value...value)
      }
    }
    return ScalarSet(ranges)
  }

  /// The general categories and the groups of them, by short and long name. Made once, in some milliseconds.
  private static let categories: [String: ScalarSet] = {
    let names: [(Unicode.GeneralCategory, String, String)] = [
      (.uppercaseLetter, "Lu", "Uppercase_Letter"), (.lowercaseLetter, "Ll", "Lowercase_Letter"),
      (.titlecaseLetter, "Lt", "Titlecase_Letter"), (.modifierLetter, "Lm", "Modifier_Letter"),
      (.otherLetter, "Lo", "Other_Letter"), (.nonspacingMark, "Mn", "Nonspacing_Mark"),
      (.spacingMark, "Mc", "Spacing_Mark"), (.enclosingMark, "Me", "Enclosing_Mark"),
      (.decimalNumber, "Nd", "Decimal_Number"), (.letterNumber, "Nl", "Letter_Number"),
      (.otherNumber, "No", "Other_Number"), (.connectorPunctuation, "Pc", "Connector_Punctuation"),
      (.dashPunctuation, "Pd", "Dash_Punctuation"), (.openPunctuation, "Ps", "Open_Punctuation"),
      (.closePunctuation, "Pe", "Close_Punctuation"), (.initialPunctuation, "Pi", "Initial_Punctuation"),
      (.finalPunctuation, "Pf", "Final_Punctuation"), (.otherPunctuation, "Po", "Other_Punctuation"),
      (.mathSymbol, "Sm", "Math_Symbol"), (.currencySymbol, "Sc", "Currency_Symbol"),
      (.modifierSymbol, "Sk", "Modifier_Symbol"), (.otherSymbol, "So", "Other_Symbol"),
      (.spaceSeparator, "Zs", "Space_Separator"), (.lineSeparator, "Zl", "Line_Separator"),
      (.paragraphSeparator, "Zp", "Paragraph_Separator"), (.control, "Cc", "Control"), (.format, "Cf", "Format"),
      (.privateUse, "Co", "Private_Use"), (.unassigned, "Cn", "Unassigned"),
    ]
    var found: [Unicode.GeneralCategory: [ClosedRange<UInt32>]] = [
      .unassigned: [0x40000...0xdffff, 0xe1000...0xeffff, 0xffffe...0xfffff, 0x10fffe...0x10ffff],
      .privateUse: [0xf0000...0xffffd, 0x100000...0x10fffd],
    ]
    for range in scattered {
      var start = range.lowerBound
      var current: Unicode.GeneralCategory?
      for value in range {
        let category = Unicode.Scalar(value)?.properties.generalCategory
        if category != current, let ended = current {
          found[ended, default: []].append(start...value - 1)
          start = value
        }
        current = category
      }
      if let current { found[current, default: []].append(start...range.upperBound) }
    }
    var result: [String: ScalarSet] = [:]
    func add(_ set: ScalarSet, _ names: [String]) { for name in names { result[name] = set } }
    for (category, short, long) in names { add(ScalarSet(found[category] ?? []), [short, long]) }
    add(result["Nd"] ?? .empty, ["digit"])
    add(result["Cc"] ?? .empty, ["cntrl"])
    let groups: [(String, [String])] = [
      ("L", ["L", "Letter"]), ("M", ["M", "Mark", "Combining_Mark"]), ("N", ["N", "Number"]),
      ("P", ["P", "Punctuation", "punct"]), ("S", ["S", "Symbol"]), ("Z", ["Z", "Separator"]), ("C", ["C", "Other"]),
    ]
    for (letter, names) in groups {
      let members = result.filter { $0.key.count == 2 && $0.key.hasPrefix(letter) }
      add(ScalarSet(members.values.flatMap(\.ranges)), names)
    }
    add(ScalarSet(["Lu", "Ll", "Lt"].flatMap { result[$0]?.ranges ?? [] }), ["LC", "Cased_Letter"])
    return result
  }()
}
