/// Turns the texts of tokens back into text, step by step as a tokenizer.json lists them.
struct TokenDecoder: Sendable {
  enum Step: Sendable {
    case printedBytes
    case metaspace(replacement: Unicode.Scalar, prefixes: Bool)
    case replace(SplitPattern, [Unicode.Scalar])
    case byteFallback
    case fuse
    case strip(Unicode.Scalar, start: Int, stop: Int)
    /// The suffix of a word's last token becomes a space.
    case wordEnd(suffix: [Unicode.Scalar])
    /// No decoder: tokens stand apart.
    case joinWithSpaces
  }

  let steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  /// Whether the text of tokens is the texts of each, one after the other.
  var isTokenwise: Bool {
    steps.allSatisfy { step in
      switch step {
      case .printedBytes, .fuse: true
      default: false
      }
    }
  }

  /// The text of `tokens`.
  func decode(_ tokens: [[UInt8]]) -> [UInt8] {
    var parts = tokens
    for step in steps {
      switch step {
      case .printedBytes: parts = [parts.flatMap(Self.printed)]
      case .fuse: parts = [Array(parts.joined())]
      case .joinWithSpaces: parts = [Array(parts.joined(separator: [32]))]
      case .byteFallback: parts = Self.fallBack(parts)
      case .replace(let pattern, let content): parts = parts.map { Self.replace($0, pattern, content) }
      case .strip(let scalar, let start, let stop): parts = parts.map { Self.strip($0, scalar, start, stop) }
      case .metaspace(let replacement, let prefixes):
        parts = parts.enumerated().map { index, part in
          Self.map(part) { $0 != replacement ? $0 : index == 0 && prefixes ? nil : " " }
        }
      case .wordEnd(let suffix):
        let last = parts.count - 1
        parts = parts.enumerated().map { Self.replace($1, .literal(suffix), $0 == last ? [] : [" "]) }
      }
    }
    return Array(parts.joined())
  }

  /// What a token adds in the middle of a text.
  func bytes(of token: [UInt8]) -> [UInt8] {
    var part = token
    var isFused = false
    for step in steps {
      switch step {
      case .printedBytes:
        part = Self.printed(part)
        isFused = true
      case .fuse: isFused = true
      case .joinWithSpaces: part = [32] + part
      case .byteFallback: if let byte = Self.byte(part) { part = [byte] }
      case .replace(let pattern, let content): part = Self.replace(part, pattern, content)
      case .strip(let scalar, let start, let stop): if !isFused { part = Self.strip(part, scalar, start, stop) }
      case .metaspace(let replacement, _): part = Self.map(part) { $0 == replacement ? " " : $0 }
      case .wordEnd(let suffix): part = Self.replace(part, .literal(suffix), [" "])
      }
    }
    return part
  }

  private static func printed(_ part: [UInt8]) -> [UInt8] { PrintableBytes.decode(part) ?? part }

  private static func map(_ part: [UInt8], _ change: (Unicode.Scalar) -> Unicode.Scalar?) -> [UInt8] {
    var result = String.UnicodeScalarView()
    for scalar in String(decoding: part, as: UTF8.self).unicodeScalars { change(scalar).map { result.append($0) } }
    return Array(String(result).utf8)
  }

  private static func replace(_ part: [UInt8], _ pattern: SplitPattern, _ content: [Unicode.Scalar]) -> [UInt8] {
    let scalars = Array(String(decoding: part, as: UTF8.self).unicodeScalars)
    if scalars.isEmpty { return part }
    let matches = pattern.matches(in: scalars, 0..<scalars.count)
    if matches.isEmpty { return part }
    var result = String.UnicodeScalarView()
    var start = 0
    for match in matches {
      result.append(contentsOf: scalars[start..<match.lowerBound])
      result.append(contentsOf: content)
      start = match.upperBound
    }
    result.append(contentsOf: scalars[start...])
    return Array(String(result).utf8)
  }

  private static func strip(_ part: [UInt8], _ scalar: Unicode.Scalar, _ start: Int, _ stop: Int) -> [UInt8] {
    var scalars = Array(String(decoding: part, as: UTF8.self).unicodeScalars)[...]
    var (left, right) = (start, stop)
    while left > 0, scalars.first == scalar {
      scalars.removeFirst()
      left -= 1
    }
    while right > 0, scalars.last == scalar {
      scalars.removeLast()
      right -= 1
    }
    return Array(String(String.UnicodeScalarView(scalars)).utf8)
  }

  /// The byte that a token such as `<0x0A>` stands for.
  static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
    // Swift takes -0 and +1 for numbers.
    guard token[3] != UInt8(ascii: "-"), token[3] != UInt8(ascii: "+") else { return nil }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  /// Runs of byte tokens become text, or a replacement character a byte where they are none.
  private static func fallBack(_ parts: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var bytes: [UInt8] = []
    func close() {
      if bytes.isEmpty { return }
      let isText = String(validating: bytes, as: UTF8.self) != nil
      result.append(isText ? bytes : bytes.flatMap { _ in Array("\u{fffd}".utf8) })
      bytes = []
    }
    for part in parts {
      if let byte = byte(part) {
        bytes.append(byte)
      } else {
        close()
        result.append(part)
      }
    }
    close()
    return result
  }
}
