/// A value of a file's metadata.
public enum MetadataValue: Sendable, Equatable {
  /// A whole number.
  case integer(Int)
  /// Above `Int.max` only.
  case unsigned(UInt64)
  /// A number with a fraction.
  case real(Double)
  /// True or false.
  case bool(Bool)
  /// A text.
  case string(String)
  /// Values in order.
  case array([MetadataValue])
  /// An array of numbers or booleans of a binary file, which stays there.
  indirect case numbers(MetadataNumbers)
  /// Values by name.
  case object([String: MetadataValue])
  /// Nothing, as JSON writes it.
  case null

  /// A whole number, however it is written; nil for all else.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .real(let value) where value == value.rounded() && abs(value) < 1e15: Int(value)
    default: nil
    }
  }
  /// A number; nil for all else.
  public var real: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
  /// A truth value; nil for all else.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// A text; nil for all else.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The elements of an array; nil for more than four million numbers, as no setting or vocabulary has them: a byte of
  /// the file would take 24 here. ``numbers`` gives them one by one.
  public var array: [MetadataValue]? {
    switch self {
    case .array(let values): values
    case .numbers(let values) where values.count <= 1 << 22: Array(values)
    default: nil
    }
  }
  /// An array of numbers or booleans of a GGUF file.
  public var numbers: MetadataNumbers? { if case .numbers(let values) = self { values } else { nil } }
  /// The members of an object; nil for all else.
  public var object: [String: MetadataValue]? { if case .object(let value) = self { value } else { nil } }
}
