import Foundation

extension MetadataValue {
  /// Parses JSON text (RFC 8259).
  public init(json: Data) throws {
    self = MetadataValue(foundation: try JSONSerialization.jsonObject(with: json, options: [.fragmentsAllowed]))
  }

  /// The value for `JSONSerialization`.
  public var foundation: Any {
    switch self {
    case .string(let value): value
    case .unsigned(let value): value
    case .integer(let value): value
    case .real(let value): value
    case .bool(let value): value
    case .array(let values): values.map(\.foundation)
    case .object(let values): values.mapValues(\.foundation)
    case .null: NSNull()
    }
  }

  private init(foundation value: Any) {
    switch value {
    case let value as String: self = .string(value)
    case let value as NSNumber:
      if isBoolean(value) {
        self = .bool(value.boolValue)
      } else if let integer = Int(exactly: value.doubleValue),
        !value.stringValue.contains(where: { ".eE".contains($0) })
      {
        self = .integer(abs(integer) < 1 << 52 ? integer : value.intValue)
      } else {
        self = .real(value.doubleValue)
      }
    case let value as [Any]: self = .array(value.map(MetadataValue.init(foundation:)))
    case let value as [String: Any]: self = .object(value.mapValues(MetadataValue.init(foundation:)))
    default: self = .null
    }
  }
}

private func isBoolean(_ number: NSNumber) -> Bool {
  String(cString: number.objCType) == "c" || type(of: number) == type(of: NSNumber(value: true))
}

/// Reads a JSON object from a file of at most `limit` bytes.
func readJSONObject(_ path: String, limit: Int = 64 << 20) throws -> [String: MetadataValue] {
  let bytes = try MappedFile.contents(of: path)
  guard bytes.count <= limit else {
    throw CheckpointError(file: path, "\(bytes.count) bytes are more than such a file may have (\(limit))")
  }
  guard let value = try? MetadataValue(json: Data(bytes)), let object = value.object else {
    throw CheckpointError(file: path, "it is not a JSON object; fetch it again")
  }
  return object
}
