/// A set of general categories, a bit each.
struct CategorySet: OptionSet, Sendable {
  let rawValue: UInt32

  static let uppercase = CategorySet(rawValue: 1 << 0)
  static let lowercase = CategorySet(rawValue: 1 << 1)
  static let titlecase = CategorySet(rawValue: 1 << 2)
  static let modifierLetter = CategorySet(rawValue: 1 << 3)
  static let otherLetter = CategorySet(rawValue: 1 << 4)
  static let nonspacingMark = CategorySet(rawValue: 1 << 5)
  static let spacingMark = CategorySet(rawValue: 1 << 6)
  static let enclosingMark = CategorySet(rawValue: 1 << 7)
  static let decimalNumber = CategorySet(rawValue: 1 << 8)
  static let letterNumber = CategorySet(rawValue: 1 << 9)
  static let otherNumber = CategorySet(rawValue: 1 << 10)
  static let connectorPunctuation = CategorySet(rawValue: 1 << 11)
  static let dashPunctuation = CategorySet(rawValue: 1 << 12)
  static let openPunctuation = CategorySet(rawValue: 1 << 13)
  static let closePunctuation = CategorySet(rawValue: 1 << 14)
  static let initialPunctuation = CategorySet(rawValue: 1 << 15)
  static let finalPunctuation = CategorySet(rawValue: 1 << 16)
  static let otherPunctuation = CategorySet(rawValue: 1 << 17)
  static let mathSymbol = CategorySet(rawValue: 1 << 18)
  static let currencySymbol = CategorySet(rawValue: 1 << 19)
  static let modifierSymbol = CategorySet(rawValue: 1 << 20)
  static let otherSymbol = CategorySet(rawValue: 1 << 21)
  static let spaceSeparator = CategorySet(rawValue: 1 << 22)
  static let lineSeparator = CategorySet(rawValue: 1 << 23)
  static let paragraphSeparator = CategorySet(rawValue: 1 << 24)
  static let control = CategorySet(rawValue: 1 << 25)
  static let format = CategorySet(rawValue: 1 << 26)
  static let surrogate = CategorySet(rawValue: 1 << 27)
  static let privateUse = CategorySet(rawValue: 1 << 28)
  static let unassigned = CategorySet(rawValue: 1 << 29)

  static let letter: CategorySet = [.uppercase, .lowercase, .titlecase, .modifierLetter, .otherLetter]
  static let mark: CategorySet = [.nonspacingMark, .spacingMark, .enclosingMark]
  static let number: CategorySet = [.decimalNumber, .letterNumber, .otherNumber]
  static let punctuation: CategorySet = [
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
    .finalPunctuation, .otherPunctuation,
  ]
  static let symbol: CategorySet = [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
  static let separator: CategorySet = [.spaceSeparator, .lineSeparator, .paragraphSeparator]
  static let other: CategorySet = [.control, .format, .surrogate, .privateUse, .unassigned]

  /// The newest category a scalar has.
  init(newest category: Unicode.GeneralCategory) {
    self =
      switch category {
      case .uppercaseLetter: .uppercase
      case .lowercaseLetter: .lowercase
      case .titlecaseLetter: .titlecase
      case .modifierLetter: .modifierLetter
      case .otherLetter: .otherLetter
      case .nonspacingMark: .nonspacingMark
      case .spacingMark: .spacingMark
      case .enclosingMark: .enclosingMark
      case .decimalNumber: .decimalNumber
      case .letterNumber: .letterNumber
      case .otherNumber: .otherNumber
      case .connectorPunctuation: .connectorPunctuation
      case .dashPunctuation: .dashPunctuation
      case .openPunctuation: .openPunctuation
      case .closePunctuation: .closePunctuation
      case .initialPunctuation: .initialPunctuation
      case .finalPunctuation: .finalPunctuation
      case .otherPunctuation: .otherPunctuation
      case .mathSymbol: .mathSymbol
      case .currencySymbol: .currencySymbol
      case .modifierSymbol: .modifierSymbol
      case .otherSymbol: .otherSymbol
      case .spaceSeparator: .spaceSeparator
      case .lineSeparator: .lineSeparator
      case .paragraphSeparator: .paragraphSeparator
      case .control: .control
      case .format: .format
      case .surrogate: .surrogate
      case .privateUse: .privateUse
      case .unassigned: .unassigned
      @unknown default: .unassigned
      }
  }

  init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension Unicode.Scalar {
  /// Whether the scalar was assigned in Unicode `major`.0 or before. The programs that define tokenizers have tables of
  /// their own age: what is newer than those is unassigned there.
  func isAssigned(in major: Int) -> Bool {
    properties.age.map { $0.major < major || ($0.major, $0.minor) == (major, 0) } ?? false
  }

  /// The general category in Unicode 16, which is what Oniguruma's tables hold: a set of one.
  var category: CategorySet {
    value < 0x10000 ? CategorySet(rawValue: 1 << UInt32(Self.basicPlane[Int(value)])) : Self.lookUpCategory(self)
  }

  private static func lookUpCategory(_ scalar: Unicode.Scalar) -> CategorySet {
    if scalar.value == 0x295 { return .lowercase }  // a letter without case since Unicode 17
    let category = CategorySet(newest: scalar.properties.generalCategory)
    let isAgeless = !category.isDisjoint(with: [.privateUse, .unassigned, .surrogate])
    return isAgeless || scalar.isAssigned(in: 16) ? category : .unassigned
  }

  /// Categories of the basic plane, as the places of their bits: one load instead of a search.
  private static let basicPlane: [UInt8] = (0..<0x10000).map { value in
    UInt8(
      truncatingIfNeeded: (Unicode.Scalar(UInt32(value)).map(lookUpCategory) ?? .surrogate).rawValue
        .trailingZeroBitCount)
  }

  /// White_Space, which has not changed since Unicode 6.3.
  var isWhiteSpace: Bool {
    switch value {
    case 9...13, 32, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: true
    default: false
    }
  }
}

/// The classes that the best known pre-tokenizers tell apart.
enum CharacterClass {
  case letter, number, space, other

  @inline(__always)
  init(_ scalar: Unicode.Scalar) {
    let value = scalar.value
    if value < 128 {
      switch value {
      case 65...90, 97...122: self = .letter
      case 48...57: self = .number
      case 9...13, 32: self = .space
      default: self = .other
      }
      return
    }
    let category = scalar.category
    if !category.isDisjoint(with: .letter) {
      self = .letter
    } else if !category.isDisjoint(with: .number) {
      self = .number
    } else {
      self = scalar.isWhiteSpace ? .space : .other
    }
  }
}
