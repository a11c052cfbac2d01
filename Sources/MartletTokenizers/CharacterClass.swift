/// The Unicode classes that pre-tokenisers tell apart.
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
    let properties = scalar.properties
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = properties.isWhitespace ? .space : .other
    }
  }
}
