import MartletData

/// An array of numbers or booleans in the metadata of a GGUF file. It needs no memory of its own: elements are read
/// from the mapped file on demand.
public struct MetadataNumbers: RandomAccessCollection, Sendable, Equatable {
  private let file: MappedFile
  private let start: Int
  let type: GGUFValueType
  /// The number of elements.
  public let count: Int

  /// - Precondition: the elements lie inside the file.
  init(file: MappedFile, start: Int, type: GGUFValueType, count: Int) {
    self.file = file
    self.start = start
    self.type = type
    self.count = count
  }

  /// The first index, 0.
  public var startIndex: Int { 0 }
  /// The index after the last element, ``count``.
  public var endIndex: Int { count }

  /// The value at an index, read from the file.
  public subscript(index: Int) -> MetadataValue {
    precondition(index >= 0 && index < count, "element \(index) of \(count)")
    let place = start + index * type.byteCount
    func read<T: FixedWidthInteger>(_: T.Type) -> T {
      T(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place, as: T.self))
    }
    switch type {
    case .uint8: return .integer(Int(read(UInt8.self)))
    case .int8: return .integer(Int(read(Int8.self)))
    case .uint16: return .integer(Int(read(UInt16.self)))
    case .int16: return .integer(Int(read(Int16.self)))
    case .uint32: return .integer(Int(read(UInt32.self)))
    case .int32: return .integer(Int(read(Int32.self)))
    case .float32: return .real(Double(Float(bitPattern: read(UInt32.self))))
    case .bool: return .bool(read(UInt8.self) != 0)
    case .uint64:
      let wide = read(UInt64.self)
      return Int(exactly: wide).map { .integer($0) } ?? .unsigned(wide)
    case .int64: return .integer(Int(read(Int64.self)))
    case .float64: return .real(Double(bitPattern: read(UInt64.self)))
    case .string, .array: return .null  // never made of these
    }
  }

  /// The elements as they stand in the file, little-endian.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + count * type.byteCount])
  }

  /// Whether both have the same values.
  public static func == (one: Self, other: Self) -> Bool { one.elementsEqual(other) }
}

/// The types of GGUF's metadata, by their codes.
enum GGUFValueType: UInt32, Sendable {
  case uint8 = 0, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// Bytes of one value; of strings and arrays the least they take.
  var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .string, .uint64, .int64, .float64: 8
    case .array: 12
    }
  }
}
