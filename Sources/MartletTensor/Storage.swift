import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A block of memory, aligned to 64 bytes, returned to a pool when its last user goes.
///
/// A storage is written only before it is shared: the code that makes one fills it before it is passed on. That is what
/// makes it safe to send between threads.
final class Storage: @unchecked Sendable {
  /// First byte, for the backend, which keeps the storage while it uses it.
  let pointer: UnsafeMutableRawPointer
  /// Bytes asked for.
  let byteCount: Int
  private let capacity: Int
  /// The block this is a part of, if it does not come from the pool.
  private let arena: Arena?

  /// Memory for weights, which live as long as their model: cut one after the other from large blocks in huge
  /// pages, so that reading them all is one sequential stream with few page translations.
  static func forWeights(byteCount: Int) -> Storage {
    let (arena, pointer) = Arena.take(byteCount)
    return Storage(arena: arena, pointer: pointer, byteCount: byteCount)
  }

  private init(arena: Arena, pointer: UnsafeMutableRawPointer, byteCount: Int) {
    self.arena = arena
    self.pointer = pointer
    self.byteCount = byteCount
    capacity = byteCount
  }

  /// Memory with undefined contents. Pooled: O(1) when a block of the size class is free.
  init(byteCount: Int) {
    precondition(byteCount >= 0, "a storage of \(byteCount) bytes was asked for")
    self.byteCount = byteCount
    arena = nil
    capacity = StoragePool.capacity(for: byteCount)
    pointer = StoragePool.shared.take(capacity)
  }

  /// Memory filled with zeros.
  static func zeros(byteCount: Int) -> Storage {
    let storage = Storage(byteCount: byteCount)
    memset(storage.pointer, 0, byteCount)
    return storage
  }

  /// A block of its own with the same bytes.
  func copy() -> Storage {
    let twin = Storage(byteCount: byteCount)
    twin.copyMemory(from: self, byteCount: byteCount)
    return twin
  }

  /// Takes over the first bytes of another block.
  func copyMemory(from other: Storage, byteCount: Int) {
    withExtendedLifetime((self, other)) { pointer.copyMemory(from: other.pointer, byteCount: byteCount) }
  }

  /// Writes bytes from `offset` on.
  func write(_ bytes: some Collection<UInt8>, at offset: Int) {
    withUnsafeMutableBytes { target in UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyBytes(from: bytes)
    }
  }

  /// Lets `body` read the bytes.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(start: pointer, count: byteCount)) }
  }

  /// Lets `body` write the bytes, before the storage is shared.
  func withUnsafeMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(UnsafeMutableRawBufferPointer(start: pointer, count: byteCount)) }
  }

  deinit { if arena == nil { StoragePool.shared.give(pointer, capacity: capacity) } }
}

/// A large block of huge pages, freed when the last storage in it goes.
private final class Arena: @unchecked Sendable {
  private static let blockByteCount = 64 << 20
  /// The block that still has room; it is kept by its storages, not from here.
  private struct Current: ~Copyable { weak var arena: Arena? }
  private static let current = Mutex(Current())

  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private var used = 0

  private init(capacity: Int) {
    self.capacity = capacity
    base = StoragePool.allocate(capacity, alignment: 2 << 20)
  }

  deinit { StoragePool.release(base) }

  static func take(_ byteCount: Int) -> (Arena, UnsafeMutableRawPointer) {
    let rounded = (byteCount + 63) & ~63
    return current.withLock { current in
      let room = current.arena.map { $0.capacity - $0.used } ?? 0
      if let arena = current.arena, room >= rounded { return (arena, arena.cut(rounded)) }
      let arena = Arena(capacity: (max(rounded, blockByteCount) + (2 << 20) - 1) & ~((2 << 20) - 1))
      // A block that one large tensor fills does not replace one with room left.
      if arena.capacity - rounded >= room { current.arena = arena }
      return (arena, arena.cut(rounded))
    }
  }

  private func cut(_ byteCount: Int) -> UnsafeMutableRawPointer {
    defer { used += byteCount }
    return base + used
  }
}

/// Free blocks by size class (powers of two and their halves steps). Blocks above 16 MiB are not kept.
private final class StoragePool: Sendable {
  static let shared = StoragePool()
  private static let largestKept = 16 << 20

  /// Memory that nobody uses; whoever takes it out of the pool has it alone.
  private struct Block: @unchecked Sendable { let start: UnsafeMutableRawPointer }
  /// By size class.
  private let free = Mutex([[Block]](repeating: [], count: 24 * 8))

  private init() {}

  /// Rounds up to 64 bytes, then to one of four steps a power of two.
  static func capacity(for byteCount: Int) -> Int {
    let bytes = max(64, (byteCount + 63) & ~63)
    if bytes > largestKept { return bytes }
    let step = step(bytes)
    return (bytes + step - 1) / step * step
  }

  private static func step(_ bytes: Int) -> Int {
    max(64, (1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount)) / 8)
  }

  /// A number for each capacity up to the largest kept.
  private static func sizeClass(_ capacity: Int) -> Int {
    let step = step(capacity)
    return step.trailingZeroBitCount * 8 + capacity / step - 1
  }

  func take(_ capacity: Int) -> UnsafeMutableRawPointer {
    if capacity <= Self.largestKept {
      if let kept = free.withLock({ $0[Self.sizeClass(capacity)].popLast() }) { return kept.start }
    }
    return Self.allocate(capacity, alignment: capacity >= 2 << 20 ? 2 << 20 : 64)
  }

  static func allocate(_ capacity: Int, alignment: Int) -> UnsafeMutableRawPointer {
    var fresh: UnsafeMutableRawPointer?
    guard posix_memalign(&fresh, alignment, capacity) == 0, let fresh else {
      // Sizes from outside are checked against free memory before anything is loaded.
      preconditionFailure("the system refused \(capacity) bytes of memory")  // safe: see above
    }
    #if os(Linux)
      if alignment > 64 { madvise(fresh, capacity, 14 /* MADV_HUGEPAGE */) }
    #endif
    return fresh
  }

  func give(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
    guard capacity <= Self.largestKept else { return Self.release(pointer) }
    let block = Block(start: pointer)
    free.withLock { $0[Self.sizeClass(capacity)].append(block) }
  }

  static func release(_ pointer: UnsafeMutableRawPointer) {
    #if canImport(Glibc)
      Glibc.free(pointer)
    #else
      Darwin.free(pointer)
    #endif
  }
}
