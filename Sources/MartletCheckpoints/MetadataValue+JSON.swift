import Foundation
import MartletData

extension MetadataValue {
  /// Parses JSON text (RFC 8259) of at most `values` values; a leading byte order mark is ignored.
  /// - Throws: `JSONError` with the position.
  public init(json: Data, values: Int = 5_000_000) throws {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    self.init(try JSONValue(parsing: json.starts(with: mark) ? json.dropFirst(mark.count) : json, values: values))
  }

  /// Of a key that comes twice the last value counts.
  private init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .real(value)
    case .string(let value): self = .string(value)
    case .array(let values): self = .array(values.map(MetadataValue.init))
    case .object(let object):
      self = .object(Dictionary(object.members.map { ($0.key, MetadataValue($0.value)) }) { _, last in last })
    }
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
    case .numbers(let values): values.map(\.foundation)
    case .object(let values): values.mapValues(\.foundation)
    case .null: NSNull()
    }
  }
}

/// Reads a JSON object from a file of at most `limit` bytes: a configuration, or an index of shards.
func readJSONObject(_ path: String, limit: Int = 64 << 20) throws -> [String: MetadataValue] {
  let bytes = try MappedFile.contents(of: path, limit: limit)
  do {
    guard let object = try MetadataValue(json: Data(bytes), values: 1_000_000).object else {
      throw FileError(file: path, "it is not a JSON object; fetch it again")
    }
    return object
  } catch let error as JSONError {
    throw FileError(file: path, "it is not JSON (\(error)); fetch it again")
  }
}
