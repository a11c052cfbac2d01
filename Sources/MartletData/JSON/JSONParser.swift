import Foundation

/// Why a text is not JSON, and where.
public struct JSONError: ExplainedError, Equatable {
  /// What is wrong.
  public let problem: String
  /// The position of the error, counted from 1; columns count bytes.
  public let line, column: Int

  /// An error at a position.
  public init(problem: String, line: Int, column: Int) {
    self.problem = problem
    self.line = line
    self.column = column
  }

  /// The position, and what is wrong there.
  public var message: String { "line \(line), column \(column): \(problem)" }
}

extension JSONValue {
  /// Parses one JSON text (RFC 8259) strictly. O(bytes).
  ///
  /// The text may be nested at most `depth` levels and contain at most `values` values. A value of two bytes in the
  /// text takes twenty times as much memory when parsed, so the limit protects against small texts that would exhaust
  /// it.
  /// - Throws: ``JSONError``.
  public init(parsing bytes: some Collection<UInt8>, depth: Int = 64, values: Int = 5_000_000) throws {
    let bytes = Array(bytes)
    self = try bytes.withUnsafeBufferPointer { buffer in
      var parser = JSONParser(bytes: buffer, depth: depth, values: values)
      return try parser.document()
    }
  }

  /// Parses one JSON text with the default limits.
  public init(parsing text: String) throws { try self.init(parsing: text.utf8) }
}

private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var depth: Int
  /// How many more values there may be.
  var values: Int
  var at = 0

  func failure(_ problem: String, at place: Int? = nil) -> JSONError {
    let place = min(place ?? at, bytes.count)
    let line = bytes[..<place].count { $0 == 0x0a } + 1
    let start = bytes[..<place].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return JSONError(problem: problem, line: line, column: place - start + 1)
  }

  mutating func document() throws -> JSONValue {
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw failure("there is more after the end of the value") }
    return value
  }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[at]) { at += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func value() throws -> JSONValue {
    skipSpace()
    guard at < bytes.count else { throw failure("the text ends where a value should be") }
    guard values > 0 else { throw failure("it has too many values") }
    values -= 1
    switch bytes[at] {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("a value should be here")
    }
  }

  private mutating func nested(_ body: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
    guard depth > 0 else { throw failure("it is nested too deeply") }
    depth -= 1
    defer { depth += 1 }
    at += 1
    return try body(&self)
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws -> JSONValue {
    guard bytes[at...].starts(with: word.utf8) else { throw failure("a value should be here") }
    at += word.utf8.count
    return value
  }

  private mutating func array() throws -> JSONValue {
    var values: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      values.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(values) }
      guard take(UInt8(ascii: ",")) else { throw failure("a , or ] should be here") }
    }
  }

  private mutating func object() throws -> JSONValue {
    var object = JSONObject()
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(object) }
    while true {
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw failure("a key in quotes should be here") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("a : should be here") }
      object.append(key, try value())
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(object) }
      guard take(UInt8(ascii: ",")) else { throw failure("a , or } should be here") }
    }
  }

  private mutating func number() throws -> JSONValue {
    let start = at
    func digits(_ parser: inout JSONParser) throws {
      let first = parser.at
      while parser.at < parser.bytes.count, (0x30...0x39).contains(parser.bytes[parser.at]) { parser.at += 1 }
      guard parser.at > first else { throw parser.failure("a digit should be here") }
    }
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits(&self) }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits(&self)
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try digits(&self)
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("the number is too large", at: start) }
    return .number(value)
  }

  private mutating func string() throws -> String {
    let start = at
    at += 1
    var text: [UInt8] = []
    while true {
      let piece = at
      while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 {
        at += 1
      }
      text += bytes[piece..<at]
      guard at < bytes.count else { throw failure("the string has no end", at: start) }
      if take(UInt8(ascii: "\"")) { break }
      guard take(UInt8(ascii: "\\")) else { throw failure("a string contains a control character; write it as \\u") }
      try escape(into: &text)
    }
    guard let result = String(validating: text, as: UTF8.self) else {
      throw failure("the string is not UTF-8", at: start)
    }
    return result
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    guard at < bytes.count else { throw failure("the string has no end") }
    defer { at += 1 }
    switch bytes[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[at])
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      at += 1
      var code = try hexadecimal()
      if (0xd800..<0xdc00).contains(code), at + 6 < bytes.count, bytes[at + 1] == UInt8(ascii: "\\"),
        bytes[at + 2] == UInt8(ascii: "u")
      {
        let back = at
        at += 3
        let low = try hexadecimal()
        if (0xdc00..<0xe000).contains(low) {
          code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        } else {
          at = back
        }
      }
      // Half of a pair alone is no character.
      let scalar = Unicode.Scalar(code) ?? "\u{fffd}"
      text += UTF8.encode(scalar).map(Array.init) ?? []
    default: throw failure("\\ is followed by a character that cannot be escaped")
    }
  }

  /// Reads four digits and stops on the last.
  private mutating func hexadecimal() throws -> UInt32 {
    var code: UInt32 = 0
    for place in at..<at + 4 {
      guard place < bytes.count, let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue else {
        throw failure("\\u needs four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    at += 3
    return code
  }
}
