/// Keys and values that one sequence has seen, in pages of 64 positions for all layers.
///
/// Full pages never change, so a copy shares them: forking a conversation copies at most one page.
public final class KeyValueCache: @unchecked Sendable {
  // Unchecked: a sequence's state belongs to one pass at a time, and that pass alone changes it.

  /// How many keys and values of what size a model keeps of each position.
  public struct Layout: Sendable, Equatable {
    /// Layers that attend, key/value heads of each, and values of a head.
    public let layers, heads, headSize: Int
    /// Half precision instead of single.
    public let half: Bool

    /// Makes a layout; `half` keeps 16 bits a value instead of 32.
    public init(layers: Int, heads: Int, headSize: Int, half: Bool) {
      self.layers = layers
      self.heads = heads
      self.headSize = headSize
      self.half = half
    }

    /// Bytes of one page of 64 positions.
    public var pageByteCount: Int { layers * heads * headByteCount }
  }

  /// What it keeps of each position.
  public let layout: Layout
  /// Positions stored.
  public private(set) var count = 0
  private(set) var pages: [Storage] = []

  /// An empty cache.
  public init(layout: Layout) { self.layout = layout }

  /// A cache of its own with the same positions. O(one page).
  public func copy() -> KeyValueCache { prefix(count) }

  /// A cache of its own with the first `count` positions. O(one page). Precondition: it has as many.
  public func prefix(_ count: Int) -> KeyValueCache {
    precondition(count <= self.count, "a cache of \(self.count) positions has no \(count)")
    let page = Self.pageSize
    let other = KeyValueCache(layout: layout)
    other.count = count
    other.pages = Array(pages.prefix((count + page - 1) / page))
    if count % page != 0, let last = other.pages.popLast() { other.pages.append(last.copy()) }
    return other
  }

  /// Makes room for `rows` more positions.
  public func reserve(_ rows: Int) {
    while pages.count * Self.pageSize < count + rows { pages.append(.zeros(byteCount: layout.pageByteCount)) }
  }

  /// Counts `rows` stored positions, once all layers have stored theirs.
  public func advance(_ rows: Int) { count += rows }

  /// Bytes of all pages.
  public var byteCount: Int { pages.count * layout.pageByteCount }

  /// Appends the bytes of all pages, for saving.
  public func append(to bytes: inout [UInt8]) {
    for page in pages { page.withUnsafeBytes { bytes += $0 } }
  }

  /// Takes positions that another cache of the same layout has saved. Precondition: as many bytes as their pages have.
  public func restore(count: Int, from bytes: ArraySlice<UInt8>) {
    let size = layout.pageByteCount, needed = (count + Self.pageSize - 1) / Self.pageSize
    precondition(bytes.count == needed * size, "\(bytes.count) bytes for \(needed) pages of \(size)")
    pages = (0..<needed).map { index in
      let page = Storage(byteCount: size), start = bytes.startIndex + index * size
      page.write(bytes[start..<start + size], at: 0)
      return page
    }
    self.count = count
  }
}
