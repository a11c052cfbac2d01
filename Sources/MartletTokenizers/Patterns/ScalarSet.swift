/// A set of Unicode scalars, as a class of a regular expression describes it.
indirect enum ScalarSet: Sendable, Equatable {
  case ranges([ClosedRange<UInt32>])
  case categories(CategorySet)
  case whiteSpace
  /// `\p{Alphabetic}`, `[[:alpha:]]`
  case alphabetic
  case union([ScalarSet])
  case intersection([ScalarSet])
  case complement(ScalarSet)
  /// Also what differs from a member by its case alone.
  case anyCase(ScalarSet)

  /// Letters, marks, decimal digits and connectors (`[[:word:]]`).
  static let word: ScalarSet = .union([
    .alphabetic, .categories(CategorySet.mark.union([.decimalNumber, .connectorPunctuation])),
  ])

  /// Oniguruma's `\w` outside of brackets, where it counts ², ³, ¹, ¼, ½ and ¾ as well.
  static let bareWord: ScalarSet = .union([.word, .ranges([0xb2...0xb3, 0xb9...0xb9, 0xbc...0xbe])])

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .ranges(let ranges): ranges.contains { $0.contains(scalar.value) }
    case .categories(let set): !set.isDisjoint(with: scalar.category)
    case .whiteSpace: scalar.isWhiteSpace
    case .alphabetic: scalar.properties.isAlphabetic && scalar.category != .unassigned
    case .union(let sets): sets.contains { $0.contains(scalar) }
    case .intersection(let sets): sets.allSatisfy { $0.contains(scalar) }
    case .complement(let set): !set.contains(scalar)
    case .anyCase(let set): scalar.caseVariants.contains(where: set.contains)
    }
  }
}

extension Unicode.Scalar {
  /// The scalar and those that differ from it by case alone (simple case folding).
  var caseVariants: [Unicode.Scalar] {
    func single(_ mapping: String) -> Unicode.Scalar? {
      let scalars = mapping.unicodeScalars
      return scalars.count == 1 ? scalars.first : nil
    }
    if value == 0x130 || value == 0x131 { return [self] }  // the Turkish i's fold to nothing but themselves
    var variants = [self]
    for mapping in [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping] {
      if let other = single(mapping), !variants.contains(other) { variants.append(other) }
    }
    // Letters that share a lower case: long s, Kelvin, Ångström, and the like of them.
    if let upper = single(properties.uppercaseMapping), let lower = single(upper.properties.lowercaseMapping),
      !variants.contains(lower)
    {
      variants.append(lower)
    }
    switch variants.contains("s") ? "s" : variants.contains("k") ? "k" : variants.contains("å") ? "å" : self {
    case "s": variants.append("\u{17f}")
    case "k": variants.append("\u{212a}")
    case "å": variants.append("\u{212b}")
    default: break
    }
    return variants
  }
}

/// A ``ScalarSet`` with its ASCII part as bits.
struct CompiledSet: Sendable, Equatable {
  /// Members below 64, and from 64 to 127.
  let low: UInt64, high: UInt64
  private let set: ScalarSet

  init(_ set: ScalarSet) {
    self.set = set
    var bits: (UInt64, UInt64) = (0, 0)
    for value in 0..<UInt8(128) where set.contains(Unicode.Scalar(value)) {
      if value < 64 { bits.0 |= 1 << UInt64(value) } else { bits.1 |= 1 << UInt64(value - 64) }
    }
    (low, high) = bits
  }

  @inline(__always)
  func contains(_ scalar: Unicode.Scalar) -> Bool {
    let value = scalar.value
    if value < 64 { return low >> UInt64(value) & 1 == 1 }
    if value < 128 { return high >> UInt64(value - 64) & 1 == 1 }
    return set.contains(scalar)
  }
}
