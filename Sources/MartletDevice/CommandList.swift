import Dispatch

/// Commands in their order, with the barriers that they need.
///
/// Each command says what it reads and writes. A barrier stands before a command that reads what one since the last barrier has written, or
/// writes what one has read or written; all others may run side by side.
public struct CommandList: Sendable {
  private(set) var groups: [[Command]] = []
  private var reads: [Range<UInt64>] = []
  private var writes: [Range<UInt64>] = []

  /// An empty list.
  public init() {}

  /// Adds a command behind all others.
  public mutating func append(_ command: Command) {
    let conflicts =
      Self.meet(command.reads, writes) || Self.meet(command.writes, writes) || Self.meet(command.writes, reads)
    if conflicts || groups.isEmpty {
      groups.append([command])
      reads = command.reads
      writes = command.writes
    } else {
      groups[groups.count - 1].append(command)
      reads += command.reads
      writes += command.writes
    }
  }

  /// The number of commands.
  public var count: Int { groups.reduce(0) { $0 + $1.count } }
  /// The number of barriers between them.
  public var barrierCount: Int { max(0, groups.count - 1) }

  private static func meet(_ some: [Range<UInt64>], _ others: [Range<UInt64>]) -> Bool {
    some.contains { one in others.contains { one.overlaps($0) } }
  }

  /// The groups in pieces that a slow device finishes in a fraction of a second, as drivers end work that takes seconds.
  var submissions: [[[Command]]] {
    var pieces: [[[Command]]] = [], cost = 0
    for group in groups {
      let own = group.reduce(0) { $0 + $1.cost }
      if pieces.isEmpty || cost + own > Self.largestCost {
        pieces.append([group])
        cost = own
      } else {
        pieces[pieces.count - 1].append(group)
        cost += own
      }
    }
    return pieces
  }

  /// 30 ms at 0.5 tera multiply-adds a second.
  private static let largestCost = 15_000_000_000
}

/// A list that was recorded, and can be run many times.
public final class RecordedCommands: Sendable {
  // Unsafe for the compiler: the lists belong to the device, which is locked where they are used.
  nonisolated(unsafe) private let lists: [OpaquePointer]
  private let device: Device

  /// Records a list.
  /// - Throws: ``DeviceError`` if the driver does not compile a shader, or has no memory.
  public init(_ list: CommandList, on device: Device) throws(DeviceError) {
    self.device = device
    var lists: [OpaquePointer] = []
    do {
      for piece in list.submissions { lists.append(try device.record(piece)) }
    } catch {
      device.discard(lists)
      throw error
    }
    self.lists = lists
  }

  deinit { device.discard(lists) }

  /// Runs the commands and waits until they have finished.
  /// - Throws: ``DeviceError`` if the device is lost.
  public func run() throws(DeviceError) { if !lists.isEmpty { try device.run(lists) } }

  /// The best of three runs, in seconds, after one to warm up.
  func bestSeconds() throws(DeviceError) -> Double {
    try run()
    var best = Double.infinity
    for _ in 0..<3 {
      let start = DispatchTime.now().uptimeNanoseconds
      try run()
      best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
    }
    return best
  }
}
