/// Keys and values that one sequence has seen, in pages of 64 positions for all layers.
///
/// Full pages never change, so a copy shares them: forking a conversation copies at most one page.
public final class KeyValueCache: @unchecked Sendable {
  // Unchecked: a sequence's state belongs to one pass at a time, and that pass alone changes it.

  /// What a model keeps of each position, layer by layer: layers may differ in their heads.
  public struct Layout: Sendable, Equatable {
    /// What one layer keeps.
    public struct Layer: Sendable, Equatable {
      /// Key/value heads.
      public let heads: Int
      /// Values of a head.
      public let headSize: Int

      /// - Parameters: the properties of the same names.
      public init(heads: Int, headSize: Int) {
        self.heads = heads
        self.headSize = headSize
      }
    }

    /// The layers that attend, in the order in which a token passes them.
    public let layers: [Layer]
    /// Half precision instead of single.
    public let half: Bool
    /// Where each layer's part of a page begins, and where the last one ends, in bytes.
    let offsets: [Int]

    /// A layout of layers that may differ; `half` keeps 16 bits a value instead of 32.
    public init(_ layers: [Layer], half: Bool) {
      self.layers = layers
      self.half = half
      offsets = layers.reduce(into: [0]) { offsets, layer in
        offsets.append((offsets.last ?? 0) + layer.heads * layer.headByteCount(half: half))
      }
    }

    /// A layout of equal layers.
    public init(layers: Int, heads: Int, headSize: Int, half: Bool) {
      self.init([Layer](repeating: Layer(heads: heads, headSize: headSize), count: layers), half: half)
    }

    /// Bytes of one page of 64 positions.
    public var pageByteCount: Int { offsets.last ?? 0 }
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
