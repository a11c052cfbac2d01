import CMartletGPU
import MartletTensor

/// A block of memory on a device, or of the host's memory that the device sees. It is freed with its last reference.
public final class DeviceMemory: @unchecked Sendable {
  // Unchecked: bytes of the host's memory are written and read by whoever owns the pass they belong to.

  /// Where memory lies.
  public enum Place: Sendable {
    /// On the device.
    case local
    /// In the host's memory, for writing.
    case upload
    /// In the host's memory, for reading.
    case download

    var value: martlet_gpu_place {
      switch self {
      case .local: MARTLET_GPU_LOCAL
      case .upload: MARTLET_GPU_UPLOAD
      case .download: MARTLET_GPU_DOWNLOAD
      }
    }
  }

  let block: martlet_gpu_memory
  private let device: Device
  private let place: Place
  /// The size in bytes.
  public var byteCount: Int { Int(block.bytes) }

  /// Takes memory.
  /// - Throws: ``DeviceError`` if there is not enough.
  public init(_ device: Device, byteCount: Int, place: Place = .local) throws(DeviceError) {
    block = try device.allocate(max(byteCount, 16), place.value)
    self.device = device
    self.place = place
  }

  deinit { device.free(block, place.value) }

  /// All of it.
  public var range: DeviceRange { DeviceRange(memory: self, offset: 0, byteCount: byteCount) }

  /// Writes values from a byte on. Precondition: the memory is the host's, they fit, and no work that uses it is running.
  public func write<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) {
    values.withUnsafeBytes { source in withHostBytes { Self.copy(source, to: $0, at: offset) } }
  }

  /// Writes the elements of a float tensor from a byte on. Precondition: as for ``write(_:at:)-([Value],_)``.
  public func write(_ tensor: Tensor, at offset: Int) {
    tensor.withFloats { source in withHostBytes { Self.copy(UnsafeRawBufferPointer(source), to: $0, at: offset) } }
  }

  /// The floats at the beginning as a tensor. Precondition: the memory is the host's, it has as many, and no work that writes it is running.
  public func tensor(shape: [Int]) -> Tensor {
    Tensor(shape: shape) { target in
      withHostBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[0..<target.count])) }
    }
  }

  /// The values at the beginning. Precondition: as for ``tensor(shape:)``.
  public func values<Value: BitwiseCopyable>(of type: Value.Type, count: Int) -> [Value] {
    withHostBytes { bytes in
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.stride, as: type) }
    }
  }

  private static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, at offset: Int) {
    UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(from: source)
  }

  /// Lends the bytes of memory that the host sees. Precondition: it lies in the host's memory, and no work that uses it is running.
  func withHostBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result {
    guard let host = block.host else {
      preconditionFailure("the host does not see memory of a device")  // safe: what the host touches is made for it
    }
    return try body(UnsafeMutableRawBufferPointer(start: host, count: byteCount))
  }
}

/// A part of a block of memory.
public struct DeviceRange: Sendable {
  /// The block.
  public let memory: DeviceMemory
  /// Where the part begins, in bytes.
  public let offset: Int
  /// Its size in bytes.
  public let byteCount: Int

  /// A part of a block. Precondition: it lies inside.
  public init(memory: DeviceMemory, offset: Int, byteCount: Int) {
    precondition(offset >= 0 && byteCount >= 0 && offset + byteCount <= memory.byteCount, "\(offset) + \(byteCount)")
    self.memory = memory
    self.offset = offset
    self.byteCount = byteCount
  }

  /// The address by which shaders reach it.
  public var address: UInt64 { memory.block.address + UInt64(offset) }

  /// A part of it. Precondition: it lies inside.
  public func part(_ offset: Int, _ byteCount: Int) -> DeviceRange {
    precondition(offset >= 0 && byteCount >= 0 && offset + byteCount <= self.byteCount, "\(offset) + \(byteCount)")
    return DeviceRange(memory: memory, offset: self.offset + offset, byteCount: byteCount)
  }
}
