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

  /// A pool of pieces of a size.
  public init(_ device: Device, pieceByteCount: Int) {
    self.device = device
    self.pieceByteCount = pieceByteCount
    stride = (pieceByteCount + DeviceArena.alignment - 1) / DeviceArena.alignment * DeviceArena.alignment
  }

  /// A piece, whose contents are zeros or those of its last owner. O(1) unless the pool has to grow.
  /// - Throws: ``DeviceError`` if the device has no memory left.
  public func take() throws(DeviceError) -> Piece {
    if let range = free.withLock({ $0.popLast() }) { return Piece(range, self) }
    // Blocks of some megabytes, or of one piece where there is no room for more.
    let count = max(1, (8 << 20) / stride)
    let block: DeviceMemory
    do { block = try DeviceMemory(device, byteCount: count * stride) } catch {
      if count == 1 || error.isLost { throw error }
      block = try DeviceMemory(device, byteCount: stride)
    }
    // Whoever saves a piece saves numbers, in the places too that nothing has been written to.
    try device.fill(block.range.part(0, block.byteCount / 4 * 4))
    let pieces = (0..<block.byteCount / stride).map {
      DeviceRange(memory: block, offset: $0 * stride, byteCount: pieceByteCount)
    }
    free.withLock { $0 += pieces.dropFirst() }
    return Piece(pieces[0], self)
  }
}
