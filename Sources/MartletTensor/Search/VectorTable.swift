/// A compact, growing table of vectors of equal width.
///
/// It is a value type whose copies share their common rows, so that a reader keeps its view while a writer appends
/// rows.
public struct VectorTable: Sendable {
  /// How the numbers of a row are stored.
  public enum Element: String, Sendable, Codable {
    /// 8 bits for each number and one scale for each vector: directions are accurate to about half a percent.
    case int8
    /// 16 bits for each number: lengths and distances are accurate to about one thousandth.
    case float16
  }

  /// A query or a row, quantised to 8 bits.
  public struct Quantized: Sendable {
    let values: [Int8]
    let scale: Float

    /// Quantises a vector to 8 bits. Numbers that are not finite become 0.
    public init(_ vector: [Float]) {
      let largest = vector.reduce(0) { max($0, abs($1)) }
      let scale = largest > 0 && largest.isFinite ? largest / 127 : 1
      values = vector.map { Int8(max(-127, min(127, ($0.isFinite ? $0 / scale : 0).rounded()))) }
      self.scale = scale
    }
  }

  private static let segmentRows = 256

  /// Rows that were written are never written again; readers look only at rows they know of.
  private final class Segment: @unchecked Sendable {
    let storage: Storage
    var used = 0
    init(byteCount: Int) { storage = Storage(byteCount: byteCount) }
  }

  /// The number of elements of a row.
  public let width: Int
  /// How the numbers are stored.
  public let element: Element
  /// The number of rows.
  public private(set) var count = 0
  private var segments: [Segment] = []

  /// An empty table.
  public init(width: Int, element: Element) {
    self.width = width
    self.element = element
  }

  /// The number of bytes of one row in memory and on disk: a scale of 4 bytes and the numbers for 8 bits, little-endian
  /// half-precision numbers for 16 bits.
  public var rowByteCount: Int { element == .int8 ? 4 + width : 2 * width }
  /// The memory of the table in bytes, including reserved space.
  public var byteCount: Int { segments.count * Self.segmentRows * rowByteCount }

  /// A vector encoded as a row. Precondition: it has `width` elements.
  public func encoded(_ vector: [Float]) -> [UInt8] {
    precondition(vector.count == width, "\(vector.count) numbers for a width of \(width)")
    switch element {
    case .int8:
      let row = Quantized(vector)
      return withUnsafeBytes(of: row.scale.bitPattern.littleEndian, Array.init)
        + row.values.map { UInt8(bitPattern: $0) }
    case .float16: return WeightFormat.f16.round(vector)
    }
  }

  /// Appends a row that ``encoded(_:)`` made. O(width), except that a segment is copied if another copy of the table
  /// has appended a row in the meantime. Precondition: the row has `rowByteCount` bytes.
  public mutating func append(_ row: [UInt8]) {
    precondition(row.count == rowByteCount, "\(row.count) bytes for a row of \(rowByteCount)")
    let place = count % Self.segmentRows, size = rowByteCount
    if place == 0 {
      segments.append(Segment(byteCount: Self.segmentRows * size))
    } else if let last = segments.last, last.used != place {
      let twin = Segment(byteCount: Self.segmentRows * size)
      twin.storage.copyMemory(from: last.storage, byteCount: place * size)
      segments[segments.count - 1] = twin
    }
    let segment = segments[segments.count - 1]
    segment.storage.write(row, at: place * size)
    segment.used = place + 1
    count += 1
  }

  /// Where the bytes of a row stand.
  private func place(_ row: Int) -> (storage: Storage, offset: Int) {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    return (segments[row / Self.segmentRows].storage, row % Self.segmentRows * rowByteCount)
  }

  /// The decoded elements of one row.
  public func vector(_ row: Int) -> [Float] {
    let (storage, offset) = place(row)
    return switch element {
    case .int8: CPU.scaledIntegers(storage, at: offset, count: width)
    case .float16: CPU.halves(storage, at: offset, count: width)
    }
  }

  /// The dot product of a row and a query. Precondition: the rows are stored in 8 bits.
  public func dot(_ row: Int, _ query: Quantized) -> Float {
    precondition(element == .int8 && query.values.count == width, "a query of \(query.values.count) for \(width)")
    let (storage, offset) = place(row)
    let (sum, scale) = CPU.dot(storage, at: offset, query.values)
    return Float(sum) * scale * query.scale
  }

  /// The Euclidean distance between a row and a vector.
  public func distance(_ row: Int, to query: [Float]) -> Float {
    precondition(query.count == width, "a query of \(query.count) for \(width)")
    guard element == .int8 else { return CPU.squaredDistance(vector(row), query).squareRoot() }
    let (storage, offset) = place(row)
    return CPU.squaredDistance(storage, at: offset, to: query).squareRoot()
  }
}
