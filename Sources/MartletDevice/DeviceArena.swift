/// Cuts memory that lives as long as the arena from large blocks, one piece after the other.
public final class DeviceArena {
  private let device: Device
  private let blockByteCount: Int
  private var blocks: [DeviceMemory] = []
  private var used = 0
  private var canaries: [DeviceRange] = []
  private(set) var ranges: [DeviceRange] = []

  /// The alignment of pieces in bytes.
  static let alignment = 256

  /// An arena that takes blocks of at least `blockByteCount` bytes. Some drivers allocate at most a gibibyte or two at once.
  public init(_ device: Device, blockByteCount: Int = 64 << 20) {
    self.device = device
    self.blockByteCount = blockByteCount
  }

  /// A piece of memory, whose contents are undefined.
  /// - Throws: ``DeviceError`` if the device has not enough.
  public func allocate(_ byteCount: Int) throws(DeviceError) -> DeviceRange {
    let canary = device.checks.canaryBytes
    let size = (max(byteCount, 16) + canary + Self.alignment - 1) / Self.alignment * Self.alignment
    if blocks.last.map({ $0.byteCount - used < size }) ?? true {
      blocks.append(try DeviceMemory(device, byteCount: max(size, blockByteCount)))
      used = 0
    }
    let range = DeviceRange(memory: blocks[blocks.count - 1], offset: used, byteCount: byteCount)
    if canary > 0 {
      let behind = DeviceRange(memory: range.memory, offset: used + (byteCount + 3) / 4 * 4, byteCount: canary / 4 * 4)
      try device.fill(behind, word: Self.canary)
      canaries.append(behind)
    }
    used += size
    ranges.append(range)
    return range
  }

  private static let canary: UInt32 = 0xC0FF_EE42

  /// Whether nothing was written behind any piece. For tests, on a device with canaries.
  package func isIntact() throws(DeviceError) -> Bool {
    for range in canaries {
      let words = try device.download(range, as: UInt32.self)
      if words.contains(where: { $0 != Self.canary }) { return false }
    }
    return true
  }

  /// Fills all pieces with NaN, so that a value that is not written shows. For tests.
  package func poison() throws(DeviceError) {
    for range in ranges { try device.fill(range.part(0, range.byteCount / 4 * 4), word: 0x7FC0_0000) }
  }
}
