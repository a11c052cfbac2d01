/// Reads the beginning of one line.
struct ListMarkReader {
  private let scalars: [Unicode.Scalar]
  private var at = 0
  private var indent = 0
  private var isTitle = false
  private var isTable = false
  private(set) var readings: [ListMark] = []

  init(_ line: some StringProtocol) {
    // Marks of direction and of width are not seen by people either.
    scalars = line.unicodeScalars.filter { !Self.isInvisible($0) }
    read()
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xfeff, 0x200b, 0x200e, 0x200f, 0x202a...0x202e, 0x2060, 0x2066...0x2069: true
    default: false
    }
  }

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }
  private func isSpace(_ place: Int) -> Bool { place >= scalars.count || scalars[place].properties.isWhitespace }

  private mutating func skipSpaces() {
    while at < scalars.count, scalars[at].properties.isWhitespace { at += 1 }
  }

  private mutating func read() {
    var level = 0
    var isBold = false
    while let scalar = next {
      if scalar.properties.isWhitespace || scalar == ">" || scalar == "|" {
        // Quotation and table signs count as white space.
        if scalar == "|" { isTable = true }
        indent += scalar == "\t" ? 4 : 1
      } else if scalar == "#" {
        level += 1
      } else if scalar == "*" || scalar == "_", !isSpace(at + 1) {
        isBold = true
      } else {
        break
      }
      at += 1
    }
    guard at < scalars.count else { return }
    if level > 0 { indent = 0 }
    let closes = scalars.last { !$0.properties.isWhitespace }
    isTitle = level > 0 || isBold && (closes == "*" || closes == "_")
    let start = at
    if readNumber(isNumberSign: level == 1 && start > 0 && scalars[start - 1] == "#") { return }
    at = start
    if readBullet() { return }
    at = start
    readLetters()
    if !readings.isEmpty { return }
    at = start
    if level > 0 {
      add(.heading(level), nil, isCertain: false)
    } else if isTitle {
      add(.bold, nil, isCertain: false)
    }
  }

  private mutating func add(_ series: ListMark.Series, _ number: Int?, isCertain: Bool, parent: Int? = nil) {
    readings.append(
      ListMark(
        series: series, number: number, indent: indent, isCertain: isCertain, isTitle: isTitle, hasWord: hasWord,
        parent: parent,
        head: head(number)))
  }

  // MARK: numbers

  private mutating func readNumber(isNumberSign: Bool) -> Bool {
    var close: Unicode.Scalar?
    if let open = next, let pair = Self.brackets[open] {
      close = pair
      at += 1
      skipSpaces()
    }
    let isOrdinal = next == "第" || next == "제"
    if isOrdinal { at += 1 } else if close == nil { skipWord() }
    guard let (number, kind) = readDigits() else { return false }
    if let close {
      skipSpaces()
      guard next == close else { return false }
      at += 1
      while let sign = next, ".:：、-–—*".unicodeScalars.contains(sign) { at += 1 }
      add(.number, number, isCertain: kind != .ideographs)
      return true
    }
    if kind == .enclosed {
      while let sign = next, ".:：、．)）*".unicodeScalars.contains(sign) { at += 1 }
      add(.number, number, isCertain: false)
      return true
    }
    if isOrdinal {
      if let counter = next, "点點章步条條节節个個项項장".unicodeScalars.contains(counter) { at += 1 }
      guard readSign(Self.signs + "，,").isFound || isSpace(at) else { return false }
      add(.number, number, isCertain: false)
      return true
    }
    // `2.1` is a part of point 2.
    if kind == .decimal, let parent = readParent(number) {
      add(.number, nil, isCertain: false, parent: parent)
      return true
    }
    let sign = readSign((kind == .ideographs ? "、．.，)）:：" : Self.signs) + (isTable ? "|" : ""))
    guard sign.isFound else {
      guard isNumberSign, isSpace(at) else { return false }
      add(.number, number, isCertain: false)
      return true
    }
    if let type = next?.properties.numericType, type != .numeric { return false }
    add(.number, number, isCertain: sign.isCertain && kind == .decimal && !hasWord)
    return true
  }

  private static let brackets: [Unicode.Scalar: Unicode.Scalar] = [
    "(": ")", "（": "）", "[": "]", "［": "］", "【": "】", "〔": "〕", "〈": "〉", "「": "」", "<": ">", "{": "}",
  ]
  private static let signs = ".．。)）、:：]-–—/º°ª।|"
  private enum Digits { case decimal, enclosed, ideographs }
  private var hasWord = false

  /// Passes over one word in front of a number, as in `Step 2:` or `No. 2)`.
  private mutating func skipWord() {
    let start = at
    while let scalar = next, at - start < 14, scalar.properties.isAlphabetic || scalar == "№" { at += 1 }
    let isSign = at - start == 1 && (scalars[start] == "№" || next == "°" || next == "º")
    let isWord = at - start >= 2
    if let sign = next, ".°º".unicodeScalars.contains(sign) { at += 1 }
    let hasSpace = isSpace(at)
    skipSpaces()
    hasWord = (isSign || isWord && hasSpace) && next?.properties.generalCategory == .decimalNumber
    if !hasWord { at = start }
  }

  private mutating func readDigits() -> (Int, Digits)? {
    guard let first = next else { return nil }
    if first.properties.generalCategory == .decimalNumber {
      var number = 0
      var length = 0
      while let digit = next, digit.properties.generalCategory == .decimalNumber,
        let value = digit.properties.numericValue
      {
        length += 1
        guard length <= 3 else { return nil }
        number = number * 10 + Int(value)
        at += 1
      }
      // A digit on a key, as telephones have it.
      if next == "\u{fe0f}", at + 1 < scalars.count, scalars[at + 1] == "\u{20e3}" { at += 1 }
      if next == "\u{20e3}" {
        at += 1
        return (number, .enclosed)
      }
      return (number, .decimal)
    }
    if first.value == 0x1f51f {
      at += 1
      return (10, .enclosed)
    }
    switch first.value {
    case 0x2160...0x216b, 0x2170...0x217b, 0x2460...0x249b, 0x24eb...0x24fe, 0x2776...0x2793, 0x3220...0x3229,
      0x3251...0x325f, 0x3280...0x3289, 0x32b1...0x32bf:
      guard let value = first.properties.numericValue, (1...50).contains(value) else { return nil }
      at += 1
      return (Int(value), .enclosed)
    case 0x249c...0x24b5: return enclosedLetter(from: 0x249c)
    case 0x24b6...0x24cf: return enclosedLetter(from: 0x24b6)
    case 0x24d0...0x24e9: return enclosedLetter(from: 0x24d0)
    default: break
    }
    return readIdeographs().map { ($0, .ideographs) }
  }

  private mutating func enclosedLetter(from first: UInt32) -> (Int, Digits)? {
    defer { at += 1 }
    return (Int(scalars[at].value - first) + 1, .enclosed)
  }

  /// 一 to 九十九.
  private mutating func readIdeographs() -> Int? {
    let digits = Array("一二三四五六七八九".unicodeScalars)
    var tens: Int?
    var ones: Int?
    while let scalar = next {
      if scalar == "十", tens == nil {
        tens = ones ?? 1
        ones = nil
      } else if let value = digits.firstIndex(of: scalar), ones == nil {
        ones = value + 1
      } else {
        break
      }
      at += 1
    }
    guard tens != nil || ones != nil else { return nil }
    return (tens ?? 0) * 10 + (ones ?? 0)
  }

  /// `.1` behind a number, with or without a sign of its own; nil and nothing read where it is a decimal number or none.
  private mutating func readParent(_ number: Int) -> Int? {
    let start = at
    var parts = 0
    while next == ".", at + 1 < scalars.count, scalars[at + 1].properties.generalCategory == .decimalNumber {
      at += 1
      var length = 0
      while let digit = next, digit.properties.generalCategory == .decimalNumber {
        at += 1
        length += 1
      }
      if length > 2 { break }
      parts += 1
    }
    guard parts > 0, next == "." || next == ")" || isSpace(at) else {
      at = start
      return nil
    }
    return number
  }

  /// A mark's sign and others right behind it.
  private mutating func readSign(_ signs: String) -> (isFound: Bool, isCertain: Bool) {
    let start = at
    while next == "*" || next == "_" || next == "\\" { at += 1 }
    if let space = next, space.properties.isWhitespace, at + 1 < scalars.count,
      ".)-–—:：|".unicodeScalars.contains(scalars[at + 1])
    {
      at += 1
    }
    guard let sign = next, signs.unicodeScalars.contains(sign) else {
      at = start
      return (false, false)
    }
    at += 1
    while let more = next, ".)-:º".unicodeScalars.contains(more) { at += 1 }
    // A time, a ratio or a range has no space behind its sign.
    if ":-–—/".unicodeScalars.contains(sign), next != "*" {
      guard isSpace(at), at < scalars.count else {
        at = start
        return (false, false)
      }
      let behind = scalars[at...].first { !$0.properties.isWhitespace }
      if sign != ":", behind?.properties.generalCategory == .decimalNumber {
        at = start
        return (false, false)
      }
    }
    return (true, ".．)）、:：".unicodeScalars.contains(sign))
  }

  // MARK: bullets and letters

  private mutating func readBullet() -> Bool {
    let line = String(String.UnicodeScalarView(scalars[at...]))
    guard let first = line.first else { return false }
    let width = first.unicodeScalars.count
    for tag in ["<li>", "\\item "] where line.lowercased().hasPrefix(tag) {
      at += tag.unicodeScalars.count
      add(.bullet("•"), nil, isCertain: false)
      return true
    }
    let isBullet = ListMark.bullets.contains(first)
    guard isBullet || Self.isEmoji(first) else { return false }
    // Signs that stand in words need a space behind them.
    guard isSpace(at + width) || !"-*+–—·→".contains(first) else { return false }
    at += width
    skipSpaces()
    guard at < scalars.count, line.contains(where: \.isLetter) else { return false }
    // `- [ ] Head`
    if next == "[", at + 2 < scalars.count, scalars[at + 2] == "]", " xX".unicodeScalars.contains(scalars[at + 1]) {
      at += 3
      skipSpaces()
    }
    let start = at
    if readNumber(isNumberSign: false) { return true }
    at = start
    add(isBullet ? .bullet(first) : .emoji, nil, isCertain: false)
    return true
  }

  private static func isEmoji(_ character: Character) -> Bool {
    guard let first = character.unicodeScalars.first else { return false }
    return first.properties.isEmojiPresentation || (first.properties.isEmoji && first.value > 0x2000)
  }

  private mutating func readLetters() {
    let start = at
    let close = next.flatMap { Self.brackets[$0] }
    if close != nil { at += 1 }
    let word = at
    while let scalar = next, scalar.properties.isAlphabetic, at - word < 6 { at += 1 }
    var letters = scalars[word..<at].flatMap { String($0).lowercased().unicodeScalars }
    // An Arabic letter may be lengthened, and alef may carry a hamza.
    letters = letters.filter { $0.value != 0x640 }.map { "أإآ".unicodeScalars.contains($0) ? "ا" : $0 }
    guard !letters.isEmpty else {
      at = start
      return
    }
    if let close {
      guard next == close else { return }
      at += 1
    } else {
      while next == "*" || next == "_" || next == "\\" { at += 1 }
      guard let sign = next, ".)．）、".unicodeScalars.contains(sign) else { return }
      at += 1
      guard isSpace(at) || sign == "、" || next == "*" else { return }
    }
    if let number = Self.roman(letters) { add(.roman, number, isCertain: false) }
    if letters.count == 1 {
      for (place, alphabet) in ListMark.alphabets.enumerated() {
        if let index = alphabet.firstIndex(of: letters[0]) { add(.letter(place), index + 1, isCertain: false) }
      }
    }
  }

  /// 1 to 39 in Roman numerals.
  private static func roman(_ letters: [Unicode.Scalar]) -> Int? {
    let text = String(String.UnicodeScalarView(letters))
    let ones = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"]
    for tens in 0...3 where text.hasPrefix(String(repeating: "x", count: tens)) {
      if let one = ones.firstIndex(of: String(text.dropFirst(tens))), tens + one > 0 { return tens * 10 + one }
    }
    return nil
  }

  // MARK: heads

  /// What stands behind the mark, without emphasis, tags, and the same number once more.
  private func head(_ number: Int?) -> String {
    var text = String(String.UnicodeScalarView(scalars[min(at, scalars.count)...]))
    for tag in ["</li>", "<b>", "</b>", "<strong>", "</strong>"] { text = text.replacing(tag, with: "") }
    text = text.replacing("**", with: "").replacing("__", with: "")
    var head = text.drop { $0.isWhitespace || "*_|-–—:：•".contains($0) }
    if isTable { head = head.prefix { $0 != "|" } }
    while let last = head.last, last.isWhitespace || last == "*" || last == "_" || last == "|" { head.removeLast() }
    let again = ListMark.readings(text).first { $0.series == .number && $0.number == number }
    if number != nil, let again { return again.head }
    return String(head)
  }
}
