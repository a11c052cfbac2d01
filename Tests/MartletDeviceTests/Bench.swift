import MartletDevice
import MartletTestSupport

/// A device with memory for the operands of a test.
struct Bench {
  let device: Device
  let arena: DeviceArena

  init(_ checks: Device.Checks = Card.strict) throws {
    device = try Card.open(checks)
    arena = DeviceArena(device, blockByteCount: 1 << 20)
  }

  /// New memory with these values.
  func put<Value: BitwiseCopyable>(_ values: [Value]) throws -> DeviceRange {
    let range = try arena.allocate(values.count * MemoryLayout<Value>.stride)
    try device.upload(values, to: range)
    return range
  }

  /// New memory for so many floats, which are not numbers yet.
  func blank(_ count: Int) throws -> DeviceRange {
    let range = try arena.allocate(count * 4)
    try device.fill(range, word: 0x7FC0_0000)
    return range
  }

  func floats(_ range: DeviceRange) throws -> [Float] { try device.download(range, as: Float.self) }
}

/// Sequences of different lengths, one behind the other in the rows of a pass.
struct Ragged {
  let counts: [Int]
  var rows: Int { counts.reduce(0, +) }
  /// Where the rows of each sequence begin, and where the last ends.
  var firstRows: [Int] { counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) } }
  var sequenceOfRow: [Int] { counts.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) } }
  /// Where each row stands among those of its sequence.
  var placeOfRow: [Int] { counts.flatMap { Array(0..<$0) } }
}

/// States in separate pieces of memory, of which a pass continues some in an order of their own.
struct Slots {
  /// What every state held before.
  let before: [[Float]]
  let ranges: [DeviceRange]
  /// The state of each sequence.
  let used: [Int]
  /// The list of addresses that shaders read.
  let addresses: DeviceRange

  init(_ bench: Bench, count: Int, floats: Int, used: [Int], noise: inout Noise) throws {
    var before: [[Float]] = [], ranges: [DeviceRange] = []
    for _ in 0..<count {
      before.append(noise.floats(floats))
      ranges.append(try bench.put(before[before.count - 1]))
    }
    self.before = before
    self.ranges = ranges
    self.used = used
    addresses = try bench.put(used.map { ranges[$0].address })
  }

  /// All states as they are now, and whether nothing has changed but these floats of the states in the pass.
  func after(_ bench: Bench, changes part: Range<Int>) throws -> (states: [[Float]], othersAreUntouched: Bool) {
    let states = try ranges.map { try bench.floats($0) }
    let untouched = states.indices.allSatisfy { slot in
      states[slot].indices.allSatisfy {
        used.contains(slot) && part.contains($0) || states[slot][$0].bitPattern == before[slot][$0].bitPattern
      }
    }
    return (states, untouched)
  }
}

extension Array where Element == Int {
  /// As shaders read them.
  var words: [UInt32] { map(UInt32.init) }
}
