/// The keys and values of one sequence, in pages of 64 positions for all layers.
///
/// Full pages never change and are shared between copies: forking a conversation copies at most one page.
public final class KeyValueCache: @unchecked Sendable {
  // Unchecked: a sequence's state belongs to one pass at a time, and that pass alone changes it.

  /// What a model stores for each position, layer by layer. Layers may have different heads.
  public struct Layout: Sendable, Equatable {
    /// What one layer stores for each position.
    public struct Layer: Sendable, Equatable {
      /// The number of key/value heads.
      public let heads: Int
      /// The number of features of a head.
      public let headSize: Int

      /// - Parameters: the properties of the same names.
      public init(heads: Int, headSize: Int) {
        self.heads = heads
        self.headSize = headSize
      }
    }

    /// The attention layers, in the order of the forward pass.
    public let layers: [Layer]
    /// Whether the cache stores half precision instead of single precision.
    public let half: Bool
    /// Where each layer's part of a page begins, and where the last one ends, in bytes.
    let offsets: [Int]

    /// A layout of layers that may differ. With `half`, values are stored in 16 bits instead of 32.
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

    /// The size of one page of 64 positions in bytes.
    public var pageByteCount: Int { offsets.last ?? 0 }
  }

  /// What the cache stores for each position.
  public let layout: Layout
  /// The number of stored positions.
  public private(set) var count = 0
  private(set) var pages: [Storage] = []
  /// The number of positions that the pages have space for.
  var capacity: Int { pages.count * Self.pageSize }

  /// An empty cache.
  public init(layout: Layout) { self.layout = layout }

  /// An independent cache with the same positions. O(one page).
  public func copy() -> KeyValueCache { prefix(count) }

  /// An independent cache with the first `count` positions. O(one page). Precondition: `count` is at most the number of
  /// stored positions.
  public func prefix(_ count: Int) -> KeyValueCache {
    precondition(count <= self.count, "a cache of \(self.count) positions has no \(count)")
    let page = Self.pageSize
    let other = KeyValueCache(layout: layout)
    other.count = count
    other.pages = Array(pages.prefix((count + page - 1) / page))
    if count % page != 0, let last = other.pages.popLast() { other.pages.append(last.copy()) }
    return other
  }

  // What follows is public for models of families outside this package, whose forward pass reserves, attends and advances.

  /// Reserves space for `rows` more positions.
  public func reserve(_ rows: Int) {
    while capacity < count + rows { pages.append(.zeros(byteCount: layout.pageByteCount)) }
  }

  /// Adds `rows` to the number of stored positions, after all layers have stored their keys and values. Precondition:
  /// space was reserved for them.
  public func advance(_ rows: Int) {
    precondition(rows >= 0 && count + rows <= capacity, "space was not reserved")
    count += rows
  }

  /// The memory of all pages in bytes.
  public var byteCount: Int { pages.count * layout.pageByteCount }

  /// Appends the bytes of all pages, for saving.
  public func append(to bytes: inout [UInt8]) {
    for page in pages { page.withUnsafeBytes { bytes += $0 } }
  }

  /// Restores positions from bytes that ``append(to:)`` of a cache with the same layout wrote. Precondition: the number
  /// of bytes is that of the pages.
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
