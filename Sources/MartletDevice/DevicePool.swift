import Synchronization

/// Pieces of memory of one size that come and go: the states of sequences, or pages of keys and values.
public final class DevicePool: Sendable {
  /// A piece of the pool, which is free again with the last reference to it.
  public final class Piece: Sendable {
    /// Its memory.
    public let range: DeviceRange
    private let pool: DevicePool

    fileprivate init(_ range: DeviceRange, _ pool: DevicePool) {
      self.range = range
      self.pool = pool
    }

    deinit { pool.free.withLock { $0.append(range) } }
  }

  private let device: Device
  /// The size of a piece in bytes.
  public let pieceByteCount: Int
  private let stride: Int
  private let free = Mutex<[DeviceRange]>([])

  /// Blocks have so many bytes, or so many pieces where these are large.
  private static let blockByteCount = 8 << 20
  private static let fewestPieces = 8

  /// A pool of pieces of a size.
  public init(_ device: Device, pieceByteCount: Int) {
    self.device = device
    self.pieceByteCount = pieceByteCount
    stride = (pieceByteCount + DeviceArena.alignment - 1) / DeviceArena.alignment * DeviceArena.alignment
  }

  /// A piece of zeros: whoever saves one saves no numbers of its last owner.
  /// - Throws: ``DeviceError`` if the device has no memory left.
  public func take() throws(DeviceError) -> Piece {
    let range = try takeRange()
    let piece = Piece(range, self)
    try device.fill(range.part(0, range.byteCount / 4 * 4))
    return piece
  }

  /// A piece with a copy of another's contents.
  /// - Throws: ``DeviceError`` if the device has no memory left.
  public func take(copying other: Piece) throws(DeviceError) -> Piece {
    let piece = Piece(try takeRange(), self)
    try device.perform([Command(copy: other.range, to: piece.range)])
    return piece
  }

  private func takeRange() throws(DeviceError) -> DeviceRange {
    if let range = free.withLock({ $0.popLast() }) { return range }
    let count = max(Self.fewestPieces, Self.blockByteCount / stride)
    let block: DeviceMemory
    do { block = try DeviceMemory(device, byteCount: count * stride) } catch {
      // One piece where there is no room for more.
      if error.isLost { throw error }
      block = try DeviceMemory(device, byteCount: stride)
    }
    let pieces = (0..<block.byteCount / stride).map {
      DeviceRange(memory: block, offset: $0 * stride, byteCount: pieceByteCount)
    }
    free.withLock { $0 += pieces.dropFirst() }
    return pieces[0]
  }

  /// Gives blocks back of which no piece is in use.
  public func trim() {
    free.withLock { free in
      let counts = Dictionary(grouping: free) { ObjectIdentifier($0.memory) }.mapValues(\.count)
      free.removeAll { counts[ObjectIdentifier($0.memory)] == $0.memory.byteCount / stride }
    }
  }
}
