/// A compiled shader with the values of its constants 0, 1, 2, ...
public struct Shader: Sendable, Hashable {
  /// The name of the file that was compiled, without its ending.
  public let name: String
  /// The values of its constants.
  public let constants: [UInt32]

  /// - Parameters: the properties of the same names.
  public init(_ name: String, _ constants: [UInt32] = []) {
    self.name = name
    self.constants = constants
  }
}

/// The arguments of a shader in the order of its declarations: addresses first, so that everything is aligned.
public struct Arguments: Sendable {
  private(set) var bytes: [UInt8] = []

  /// No arguments yet.
  public init() {}

  /// Addresses; nil is 0, for a shader that does not use it.
  public func addresses(_ ranges: DeviceRange?...) -> Arguments { adding(ranges.map { $0?.address ?? 0 }) }
  /// Whole numbers of 32 bits. Precondition: each fits.
  public func numbers(_ values: Int...) -> Arguments { adding(values.map(UInt32.init)) }
  /// A number in single precision.
  public func float(_ value: Double) -> Arguments { adding([Float(value).bitPattern]) }

  private func adding<Value: FixedWidthInteger>(_ values: [Value]) -> Arguments {
    var copy = self
    for value in values { withUnsafeBytes(of: value.littleEndian) { copy.bytes += $0 } }
    precondition(copy.bytes.count <= 128, "\(copy.bytes.count) bytes of arguments")
    return copy
  }
}

/// What a command reads or writes: addresses in memory, or a part of every state that a pass continues, whose addresses only the step's
/// data knows.
public struct Resource: Sendable {
  let addresses: Range<UInt64>

  /// A range of memory.
  public static func memory(_ range: DeviceRange) -> Resource {
    Resource(addresses: range.address..<range.address + UInt64(range.byteCount))
  }
  /// These bytes of the states of all sequences of a pass.
  public static func states(_ bytes: Range<Int>) -> Resource {
    // No address is as high.
    Resource(addresses: 1 << 63 + UInt64(bytes.lowerBound)..<1 << 63 + UInt64(bytes.upperBound))
  }
}

/// One command: a shader over workgroups, or a copy.
public struct Command: Sendable {
  enum Work: Sendable {
    case dispatch(Shader, Arguments, groups: (x: Int, y: Int, z: Int))
    case copy(from: DeviceRange, to: DeviceRange)
    case fill(DeviceRange, word: UInt32)
  }

  let work: Work
  let reads: [Range<UInt64>]
  let writes: [Range<UInt64>]
  /// An estimate of the work in multiply-adds.
  let cost: Int

  /// A shader over a grid of workgroups.
  ///
  /// - Parameters:
  ///   - shader: the shader.
  ///   - arguments: its arguments.
  ///   - groups: the number of workgroups along each axis.
  ///   - reads: all that it reads of what other commands write.
  ///   - writes: all that it writes.
  ///   - cost: an estimate of the work in multiply-adds.
  public init(
    _ shader: Shader, _ arguments: Arguments, groups: (x: Int, y: Int, z: Int), reads: [Resource], writes: [Resource],
    cost: Int = 0
  ) {
    work = .dispatch(shader, arguments, groups: groups)
    self.reads = reads.map(\.addresses)
    self.writes = writes.map(\.addresses)
    self.cost = cost
  }

  /// A copy of as many bytes as the smaller range has.
  public init(copy from: DeviceRange, to: DeviceRange) {
    work = .copy(from: from, to: to)
    reads = [Resource.memory(from).addresses]
    writes = [Resource.memory(to).addresses]
    cost = min(from.byteCount, to.byteCount)
  }

  /// Fills a range with a repeated word. Precondition: its offset and its size are multiples of 4.
  public init(fill range: DeviceRange, word: UInt32 = 0) {
    precondition(range.offset % 4 == 0 && range.byteCount % 4 == 0, "\(range.offset), \(range.byteCount)")
    work = .fill(range, word: word)
    reads = []
    writes = [Resource.memory(range).addresses]
    cost = range.byteCount
  }
}
