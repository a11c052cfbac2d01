/// A value of a file's metadata.
public enum MetadataValue: Sendable, Equatable {
  /// An integer.
  case integer(Int)
  /// An integer above `Int.max`.
  case unsigned(UInt64)
  /// A number with a fraction.
  case real(Double)
  /// True or false.
  case bool(Bool)
  /// A text.
  case string(String)
  /// An array of values.
  case array([MetadataValue])
  /// An array of numbers or booleans of a binary file, which stays there.
  indirect case numbers(MetadataNumbers)
  /// Values by name.
  case object([String: MetadataValue])
  /// JSON's null.
  case null

  /// The value of a number without fraction, whether it is written as an integer or not; nil for other values.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .real(let value) where value == value.rounded() && abs(value) < 1e15: Int(value)
    default: nil
    }
  }
  /// The value of a number; nil for other values.
  public var real: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
  /// The value of a boolean; nil for other values.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The value of a string; nil for other values.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The elements of an array; nil for other values. Also nil for arrays of more than four million numbers, which no
  /// setting or vocabulary has, because one byte of the file would take 24 bytes here; ``numbers`` gives access to them
  /// one by one.
  public var array: [MetadataValue]? {
    switch self {
    case .array(let values): values
    case .numbers(let values) where values.count <= 1 << 22: Array(values)
    default: nil
    }
  }
  /// The elements of an array of numbers or booleans of a GGUF file; nil for other values.
  public var numbers: MetadataNumbers? { if case .numbers(let values) = self { values } else { nil } }
  /// The members of an object; nil for other values.
  public var object: [String: MetadataValue]? { if case .object(let value) = self { value } else { nil } }
}
