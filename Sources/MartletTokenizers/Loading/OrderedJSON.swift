/// JSON (RFC 8259) as tokenizer files need it: members keep their order, and strings are bytes, because Swift's strings
/// are equal where they are canonically equivalent, which tokens must not be. That is why this type stands beside
/// `JSONValue` of MartletData, whose strings are Swift's.
enum OrderedJSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string([UInt8])
  case array([OrderedJSON])
  case object([(name: [UInt8], value: OrderedJSON)])

  /// - Returns: nil where `bytes` are not one JSON value in UTF-8, or nested more than 64 deep.
  init?(_ bytes: [UInt8]) {
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    var parser = OrderedJSONParser(bytes: bytes)
    guard let value = parser.whole() else { return nil }
    self = value
  }

  subscript(_ name: String) -> OrderedJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.elementsEqual(name.utf8) }?.value
  }

  var text: String? { if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
  var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
  var array: [OrderedJSON]? { if case .array(let values) = self { values } else { nil } }
  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var isNull: Bool { if case .null = self { true } else { false } }
}

private struct OrderedJSONParser {
  let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func whole() -> OrderedJSON? {
    guard let value = value() else { return nil }
    skipSpace()
    return at == bytes.count ? value : nil
  }

  private mutating func skipSpace() {
    while at < bytes.count, bytes[at] == 32 || bytes[at] == 10 || bytes[at] == 13 || bytes[at] == 9 { at += 1 }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    let isHere = text.withUTF8Buffer { bytes[at...].starts(with: $0) }
    if isHere { at += text.utf8CodeUnitCount }
    return isHere
  }

  private mutating func value() -> OrderedJSON? {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array()
    case UInt8(ascii: "\""): return string().map(OrderedJSON.string)
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  /// Calls `element` for each element up to `close`; false where they are not separated by commas.
  private mutating func list(_ close: UInt8, _ element: (inout OrderedJSONParser) -> Bool) -> Bool {
    guard depth < 64 else { return false }
    depth += 1
    defer { depth -= 1 }
    at += 1
    skipSpace()
    if next == close {
      at += 1
      return true
    }
    while true {
      guard element(&self) else { return false }
      skipSpace()
      guard let byte = next else { return false }
      at += 1
      if byte == close { return true }
      guard byte == UInt8(ascii: ",") else { return false }
    }
  }

  private mutating func array() -> OrderedJSON? {
    var values: [OrderedJSON] = []
    let isGood = list(UInt8(ascii: "]")) { parser in
      guard let value = parser.value() else { return false }
      values.append(value)
      return true
    }
    return isGood ? .array(values) : nil
  }

  private mutating func object() -> OrderedJSON? {
    var members: [(name: [UInt8], value: OrderedJSON)] = []
    let isGood = list(UInt8(ascii: "}")) { parser in
      parser.skipSpace()
      guard parser.next == UInt8(ascii: "\""), let name = parser.string() else { return false }
      parser.skipSpace()
      guard parser.next == UInt8(ascii: ":") else { return false }
      parser.at += 1
      guard let value = parser.value() else { return false }
      members.append((name, value))
      return true
    }
    return isGood ? .object(members) : nil
  }

  private mutating func string() -> [UInt8]? {
    at += 1
    var start = at
    var result: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        result += bytes[start..<at]
        at += 1
        return result
      case UInt8(ascii: "\\"):
        result += bytes[start..<at]
        at += 1
        guard let scalar = escape(), let encoded = UTF8.encode(scalar) else { return nil }
        result += encoded
        start = at
      case 0..<32: return nil
      default: at += 1
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard let byte = next else { return nil }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let first = codeUnit() else { return nil }
      guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
      guard take("\\u"), let second = codeUnit(), UTF16.isTrailSurrogate(second) else { return nil }
      return Unicode.Scalar(0x10000 + UInt32(first - 0xd800) << 10 + UInt32(second - 0xdc00))
    default: return nil
    }
  }

  private mutating func codeUnit() -> UInt16? {
    guard at + 4 <= bytes.count else { return nil }
    var value: UInt16 = 0
    for _ in 0..<4 {
      let byte = bytes[at]
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 128 else { return nil }
      value = value << 4 | UInt16(digit)
      at += 1
    }
    return value
  }

  private mutating func number() -> OrderedJSON? {
    let start = at
    var isInteger = true
    while let byte = next {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isInteger = false
      default:
        return number(start, isInteger)
      }
      at += 1
    }
    return number(start, isInteger)
  }

  private func number(_ start: Int, _ isInteger: Bool) -> OrderedJSON? {
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    return Double(text).map(OrderedJSON.real)
  }
}
