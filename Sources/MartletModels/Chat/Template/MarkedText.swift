/// Text in which every character is marked by whether it comes from the template or from a message, so that names of
/// control tokens inside messages can be told from those that the template writes.
///
/// A unit is a Unicode scalar in the lower 21 bits and above them its origin: 0 for the template, else the number of
/// the message, counted from 1 (the last numbers share one origin in very long conversations).
struct MarkedText: Sendable {
  var units: [UInt32]

  private static let scalarBits: UInt32 = 21
  private static let scalarMask: UInt32 = (1 << 21) - 1
  private static let lastOrigin = 2047

  init(units: [UInt32] = []) { self.units = units }

  init(_ text: some StringProtocol) { units = text.unicodeScalars.map(\.value) }

  /// The text of the message at `index`.
  init(_ text: String, ofMessage index: Int) {
    let origin = Self.origin(ofMessage: index)
    units = text.unicodeScalars.map { $0.value | origin << Self.scalarBits }
  }

  static func scalar(_ unit: UInt32) -> UInt32 { unit & scalarMask }
  static func isOwn(_ unit: UInt32) -> Bool { unit >> scalarBits == 0 }
  private static func origin(ofMessage index: Int) -> UInt32 { UInt32(min(index + 1, lastOrigin)) }

  /// Where text of the message at `index` stands, from its first character to its last.
  func range(ofMessage index: Int) -> Range<Int>? {
    let origin = Self.origin(ofMessage: index)
    guard let first = units.firstIndex(where: { $0 >> Self.scalarBits == origin }),
      let last = units.lastIndex(where: { $0 >> Self.scalarBits == origin })
    else { return nil }
    return first..<last + 1
  }

  var string: String { Self.string(units[...]) }

  static func string(_ units: ArraySlice<UInt32>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: units.lazy.compactMap { Unicode.Scalar(scalar($0)) })
    return text
  }

  /// The parts of the text by origin: the template's own, and those of messages.
  var runs: [(isOwn: Bool, text: ArraySlice<UInt32>)] {
    var runs: [(isOwn: Bool, text: ArraySlice<UInt32>)] = []
    var start = 0
    while start < units.count {
      let isOwn = Self.isOwn(units[start])
      let end = units[start...].firstIndex { Self.isOwn($0) != isOwn } ?? units.count
      runs.append((isOwn, units[start..<end]))
      start = end
    }
    return runs
  }

  static func + (left: MarkedText, right: MarkedText) -> MarkedText { MarkedText(units: left.units + right.units) }
  static func += (left: inout MarkedText, right: MarkedText) { left.units += right.units }
}

extension MarkedText: Equatable {
  /// Equal characters are equal text, wherever they come from.
  static func == (left: MarkedText, right: MarkedText) -> Bool {
    left.units.count == right.units.count && left.units.elementsEqual(right.units) { scalar($0) == scalar($1) }
  }

  static func < (left: MarkedText, right: MarkedText) -> Bool {
    left.units.lexicographicallyPrecedes(right.units) { scalar($0) < scalar($1) }
  }
}

// MARK: What Python's strings can do, on Unicode scalars

extension MarkedText {
  static func isSpace(_ unit: UInt32) -> Bool {
    switch scalar(unit) {
    case 9...13, 28...32, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Without the characters of `set` (white space where nil) at the asked ends.
  func stripped(of set: MarkedText? = nil, left: Bool = true, right: Bool = true) -> MarkedText {
    let members = set.map { Set($0.units.map(Self.scalar)) }
    let goes = { (unit: UInt32) -> Bool in members?.contains(Self.scalar(unit)) ?? Self.isSpace(unit) }
    var slice = units[...]
    if left { slice = slice.drop(while: goes) }
    if right { while let last = slice.last, goes(last) { slice.removeLast() } }
    return MarkedText(units: Array(slice))
  }

  func hasPrefix(_ other: MarkedText, at place: Int = 0) -> Bool {
    guard place + other.units.count <= units.count else { return false }
    for (offset, unit) in other.units.enumerated() where Self.scalar(units[place + offset]) != Self.scalar(unit) {
      return false
    }
    return true
  }

  func hasSuffix(_ other: MarkedText) -> Bool {
    other.units.count <= units.count && hasPrefix(other, at: units.count - other.units.count)
  }

  /// Where `other`, which must not be empty, stands: from the left, not overlapping, at most `limit` places. Knuth,
  /// Morris and Pratt's search: the work grows with the lengths, not with their product.
  func places(of other: MarkedText, limit: Int? = nil) -> [Int] {
    // A longer text stands nowhere, so the work never exceeds what the length of this one says.
    guard other.units.count <= units.count else { return [] }
    let pattern = other.units.map(Self.scalar)
    var borders = [Int](repeating: 0, count: pattern.count)
    var length = 0
    for place in pattern.indices.dropFirst() {
      while length > 0, pattern[place] != pattern[length] { length = borders[length - 1] }
      if pattern[place] == pattern[length] { length += 1 }
      borders[place] = length
    }
    var found: [Int] = []
    length = 0
    for place in units.indices where found.count < limit ?? Int.max {
      let scalar = Self.scalar(units[place])
      while length > 0, scalar != pattern[length] { length = borders[length - 1] }
      if scalar == pattern[length] { length += 1 }
      if length == pattern.count {
        found.append(place + 1 - length)
        length = 0
      }
    }
    return found
  }

  /// The first place where `other` stands.
  func find(_ other: MarkedText) -> Int? { other.units.isEmpty ? 0 : places(of: other, limit: 1).first }

  /// The parts between occurrences of `separator`, which must not be empty; at most `limit` cuts.
  func split(at separator: MarkedText, limit: Int?) -> [MarkedText] {
    var parts: [MarkedText] = []
    var start = 0
    for place in places(of: separator, limit: limit) {
      parts.append(MarkedText(units: Array(units[start..<place])))
      start = place + separator.units.count
    }
    return parts + [MarkedText(units: Array(units[start...]))]
  }

  /// As ``split(at:limit:)``, cutting from the end.
  func splitFromEnd(at separator: MarkedText, limit: Int?) -> [MarkedText] {
    MarkedText(units: units.reversed()).split(at: MarkedText(units: separator.units.reversed()), limit: limit)
      .reversed().map { MarkedText(units: $0.units.reversed()) }
  }

  /// How many words there are between white space.
  var wordCount: Int {
    units.indices.count { !Self.isSpace(units[$0]) && ($0 == 0 || Self.isSpace(units[$0 - 1])) }
  }

  /// The words between white space.
  func words() -> [MarkedText] {
    units.split(whereSeparator: Self.isSpace).map { MarkedText(units: Array($0)) }
  }

  /// With `new` instead of the `length` characters at each of the places.
  func replacing(_ length: Int, at places: [Int], with new: MarkedText) -> MarkedText {
    var result = MarkedText()
    var start = 0
    for place in places {
      result.units += units[start..<place]
      result += new
      start = place + length
    }
    result.units += units[start...]
    return result
  }

  private func mapped(_ change: (Unicode.Scalar, _ place: Int) -> String) -> MarkedText {
    var result = MarkedText()
    for (place, unit) in units.enumerated() {
      guard let scalar = Unicode.Scalar(Self.scalar(unit)) else { continue }
      let origin = unit & ~Self.scalarMask
      result.units += change(scalar, place).unicodeScalars.map { $0.value | origin }
    }
    return result
  }

  var uppercased: MarkedText { mapped { scalar, _ in scalar.properties.uppercaseMapping } }
  var lowercased: MarkedText {
    func isCased(_ place: Int) -> Bool {
      units.indices.contains(place) && Unicode.Scalar(Self.scalar(units[place]))?.properties.isCased == true
    }
    return mapped { scalar, place in
      // The one letter whose small form depends on where it stands.
      scalar == "Σ" && isCased(place - 1) && !isCased(place + 1) ? "ς" : scalar.properties.lowercaseMapping
    }
  }
  var capitalized: MarkedText {
    mapped { scalar, place in
      place == 0 ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
    }
  }
  /// Every word with a capital at its start, as `str.title()` has it.
  var titled: MarkedText {
    var insideWord = false
    return mapped { scalar, _ in
      defer { insideWord = scalar.properties.isCased }
      return insideWord ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
    }
  }
}
