import Foundation

/// A JSON value (RFC 8259). Objects keep the order of their members, which Foundation's parser loses. Constrained
/// output needs the order, because it generates the properties of a schema in the order of their declaration.
public enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number without fraction and exponent that fits into an `Int`.
  case integer(Int)
  /// A number with a fraction or an exponent, or too large for an `Int`.
  case number(Double)
  /// A string, with its escape sequences resolved.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object, with its members in the order of the text.
  case object(JSONObject)

  /// The value of a boolean; nil for any other kind of value.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The text of a string; nil for any other kind of value.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The elements of an array; nil for any other kind of value.
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  /// The members of an object; nil for any other kind of value.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether the value is `null`.
  public var isNull: Bool { self == .null }

  /// The value of a number without fraction, whether it is written as `1`, `1.0` or `1e0`; nil for any other value.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The value of a number, whether or not it is an integer; nil for any other kind of value.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The value of a member; nil if there is no such member or the value is not an object.
  public subscript(key: String) -> JSONValue? { object?[key] }

  /// The kind of value in words, for error messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// The members of a JSON object in their order. If a key occurs twice, its last value counts.
public struct JSONObject: Sendable, Equatable {
  /// A key with its value.
  public struct Member: Sendable, Equatable {
    /// The name of the member.
    public let key: String
    /// The value of the member.
    public var value: JSONValue
  }
  /// All members, including earlier ones whose key occurs again.
  public private(set) var members: [Member] = []
  /// The last place of each key; empty while there are so few members that looking through them is quicker.
  private var places: [String: Int] = [:]
  private static let fewMembers = 8

  /// An object without members.
  public init() {}

  /// The value of a key. Reading is O(1); setting an existing key is O(members), because the member moves to the end.
  public subscript(key: String) -> JSONValue? {
    get {
      if places.isEmpty { return members.last { $0.key == key }?.value }
      return places[key].map { members[$0].value }
    }
    set {
      let rest = members.filter { $0.key != key }
      if rest.count < members.count {
        members = []
        places = [:]
        for member in rest { append(member.key, member.value) }
      }
      if let newValue { append(key, newValue) }
    }
  }

  /// Two objects are equal if they have the same members in the same order.
  public static func == (one: JSONObject, other: JSONObject) -> Bool { one.members == other.members }

  /// The value of a key; nil if there is no such key or its value is null.
  public func present(_ key: String) -> JSONValue? {
    guard let value = self[key], !value.isNull else { return Optional.none }  // a bare nil could mean JSON's null
    return value
  }

  /// Whether the object has no members.
  public var isEmpty: Bool { members.isEmpty }

  /// Appends a member without checking whether the key exists. O(1).
  public mutating func append(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
    if !places.isEmpty {
      places[key] = members.count - 1
    } else if members.count > Self.fewMembers {
      for (place, member) in members.enumerated() { places[member.key] = place }
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object.append(key, value) }
    self = .object(object)
  }
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue: CustomStringConvertible {
  /// The JSON text.
  public var description: String { text }

  /// The value as JSON text without spaces. Numbers that JSON cannot express (NaN and infinity) become null.
  public var text: String {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the JSON text in UTF-8.
  public func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += "\(value)".utf8
    case .number(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
    case .string(let value): Self.write(value, to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in object.members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.write(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ string: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case 0x0a: bytes += "\\n".utf8
      case 0x0d: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      case 0..<0x20, 0x7f:
        let digits = Array("0123456789abcdef".utf8)
        bytes += "\\u00".utf8
        bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension JSONValue {
  /// The value for `JSONSerialization`. If a key occurs twice, the last value counts.
  public var foundation: Any {
    switch self {
    case .null: NSNull()
    case .bool(let value): value
    case .integer(let value): value
    case .number(let value): value
    case .string(let value): value
    case .array(let values): values.map(\.foundation)
    case .object(let object):
      Dictionary(object.members.map { ($0.key, $0.value.foundation) }) { _, last in last }
    }
  }

  /// An object's members for `JSONSerialization`; none of any other value.
  package var members: [String: Any] { foundation as? [String: Any] ?? [:] }
}
