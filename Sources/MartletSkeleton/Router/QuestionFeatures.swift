/// A question as a sparse vector: hashed words and word pairs, how it begins, its length and form.
enum QuestionFeatures {
  static let dimensions = 65_536

  /// Places and values, in order of place, of length 1 together.
  static func vector(_ text: String) -> [(index: Int, value: Float)] {
    let words = words(text)
    var names = words
    names += zip(words, words.dropFirst()).map { "\($0) \($1)" }
    names += words.prefix(4).enumerated().map { "first\($0)=\($1)" }
    for length in [2, 3] where words.count >= length {
      names.append("begin\(length)=\(words.prefix(length).joined(separator: " "))")
    }
    names.append("length=\(Int.bitWidth - words.count.leadingZeroBitCount)")
    if text.contains(where: \.isNewline) { names.append("has=newline") }
    if text.contains(where: \.isNumber) { names.append("has=digit") }
    if text.contains(where: "{}[]<>=;`".contains) { names.append("has=code") }
    if text.last(where: { !$0.isWhitespace }) == "?" { names.append("ends=?") }
    // What is there, not how often.
    let places = Set(names.map { Int(crc32($0.utf8) & 0xffff) }).sorted()
    let value = 1 / Float(places.count).squareRoot()
    return places.map { ($0, value) }
  }

  /// Lower-case words, `<num>` for digits, every other sign by itself; the first 256.
  static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isNumber = false
    func flush() {
      if isNumber { words.append("<num>") } else if !word.isEmpty { words.append(word) }
      word = ""
      isNumber = false
    }
    for character in text.lowercased() {
      if character.isNumber, character.isASCII {
        if !isNumber { flush() }
        isNumber = true
      } else if character.isLetter || character == "'" || character == "’" {
        if isNumber { flush() }
        word.append(character == "’" ? "'" : character)
      } else {
        flush()
        if !character.isWhitespace { words.append(String(character)) }
      }
      if words.count >= 256 { break }
    }
    flush()
    return Array(words.prefix(256))
  }

  private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
    (0..<8).reduce(index) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
  }

  /// CRC-32 (ISO 3309).
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(0xffff_ffff) { table[Int(($0 ^ UInt32($1)) & 0xff)] ^ $0 >> 8 }
  }
}
