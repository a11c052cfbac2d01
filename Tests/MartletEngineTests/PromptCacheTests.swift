import MartletModels
import Testing

@testable import MartletEngine

struct PromptCacheTests {
  /// A state of ten bytes, in a device's memory until it is moved.
  private final class State: SequenceState {
    let position: Int
    let isOnDevice: Bool
    init(_ position: Int, isOnDevice: Bool) {
      self.position = position
      self.isOnDevice = isOnDevice
    }
    func copy() -> any SequenceState { State(position, isOnDevice: isOnDevice) }
    var canBeCut: Bool { false }
    func prefix(_ count: Int) -> (any SequenceState)? { count == position ? copy() : nil }
    var byteCount: Int { 10 }
    var deviceByteCount: Int { isOnDevice ? 10 : 0 }
    func movedToProcessor() -> (any SequenceState)? { isOnDevice ? State(position, isOnDevice: false) : nil }
    func serialized() -> [UInt8] { [] }
  }

  private static func tokens(_ number: Int) -> [Int] { [Int](repeating: number, count: 20) }

  private static func filled(_ capacity: Int, _ deviceCapacity: Int, onDevice: Bool = true) -> PromptCache {
    var cache = PromptCache(byteCapacity: capacity, deviceByteCapacity: deviceCapacity)
    for number in 0..<6 {
      cache.insert(tokens(number), start: nil, state: State(20, isOnDevice: onDevice))
      // The first is used again and again.
      if number > 0 { _ = cache.lookup(tokens(0) + [1], start: nil) }
    }
    return cache
  }

  /// What is known, and whether it lies on the device; nil where nothing is.
  private static func places(_ cache: PromptCache) -> [Bool?] {
    var cache = cache
    return (0..<6).map { number in
      cache.lookup(tokens(number) + [99], start: nil).map { ($0.state as? State)?.isOnDevice ?? false }
    }
  }

  @Test func whatWasUsedLeastRecentlyLeavesTheDeviceFirst() {
    // Two on the device, three beside them, and one for which there is no room.
    let cache = Self.filled(30, 20)
    #expect(Self.places(cache) == [true, nil, false, false, false, true])
    #expect(cache.byteCount == 50 && cache.deviceByteCount == 20)
  }

  @Test func eachKindOfMemoryHasItsLimit() {
    #expect(Self.places(Self.filled(100, 0)) == [false, false, false, false, false, false])
    // What is too large for the processor's part is given up.
    #expect(Self.places(Self.filled(5, 20)) == [true, nil, nil, nil, nil, true])
    // Without a device of its own memory there is one limit.
    #expect(Self.places(Self.filled(20, 0, onDevice: false)) == [false, nil, nil, nil, nil, false])
    // A cache that is switched off keeps nothing anywhere.
    #expect(Self.places(Self.filled(0, 100)) == [nil, nil, nil, nil, nil, nil])
  }

  @Test func runningRequestsMayTakeTheDevicesMemory() {
    var cache = Self.filled(40, 60)
    #expect(cache.deviceByteCount == 60)
    cache.leaveDevice()
    #expect(cache.deviceByteCount == 0)
    #expect(Self.places(cache).compactMap { $0 }.count == 4)
  }
}
