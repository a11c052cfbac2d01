/// How many columns of a terminal a text takes: two for the signs of East Asia and for emoji, none for marks that stand
/// on another letter (Unicode's East Asian Width and emoji properties).
enum DisplayWidth {
  static func of(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + of($1) } }

  static func of(_ character: Character) -> Int {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return 0 }
    if scalars.count == 1 { return of(first) }
    // Emoji that are asked for or joined are drawn as one picture.
    let isPicture =
      first.properties.isEmoji && scalars.dropFirst().contains { $0.value == 0xfe0f || $0.value == 0x20e3 }
      || first.properties.isEmojiPresentation || first.properties.isEmoji && scalars.contains { $0.value == 0x200d }
    return isPicture ? 2 : scalars.reduce(0) { $0 + of($1) }
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    let properties = scalar.properties
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .format: return 0
    default: break
    }
    // The vowels and finals of composed Hangul stand in the first sign's square.
    if (0x1160...0x11ff).contains(scalar.value) || (0xd7b0...0xd7ff).contains(scalar.value) { return 0 }
    return properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// Wide and fullwidth ranges; those of emoji are a property of their scalars.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2329...0x232a, 0x2630...0x2637, 0x268a...0x268f, 0x2e80...0x3029, 0x3030...0x303e,
    0x3041...0x3096, 0x309b...0x3247, 0x3250...0xa4c6, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff,
    0xfe10...0xfe19, 0xfe30...0xfe6b, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x16fe3, 0x16ff2...0x1b2fb,
    0x1d300...0x1d376, 0x1f200...0x1f2ff, 0x20000...0x3fffd,
  ]
}
