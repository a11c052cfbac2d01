import MartletKernels

/// Keys and values that one sequence has seen, in pages of 64 positions for all layers.
///
/// Full pages never change, so a copy shares them: forking a conversation copies at most one page.
public final class KeyValueCache: @unchecked Sendable {
  public struct Layout: Sendable, Equatable {
    public let layers, heads, headSize: Int
    /// Half precision instead of single.
    public let half: Bool

    public init(layers: Int, heads: Int, headSize: Int, half: Bool) {
      self.layers = layers
      self.heads = heads
      self.headSize = headSize
      self.half = half
    }

    /// Head size in memory: kernels work on multiples of 16.
    var paddedSize: Int { (headSize + 15) / 16 * 16 }
    var headByteCount: Int { 2 * Int(MARTLET_PAGE) * paddedSize * (half ? 2 : 4) }
    public var pageByteCount: Int { layers * heads * headByteCount }
    var type: martlet_cache_type { half ? MARTLET_CACHE_F16 : MARTLET_CACHE_F32 }
  }

  public let layout: Layout
  /// Positions stored.
  public private(set) var count = 0
  private var pages: [Storage] = []

  public init(layout: Layout) { self.layout = layout }

  /// A cache of its own with the same positions. O(one page).
  public func copy() -> KeyValueCache { prefix(count) }

  /// A cache of its own with the first `count` positions. O(one page).
  public func prefix(_ count: Int) -> KeyValueCache {
    precondition(count <= self.count, "a cache of \(self.count) positions has no \(count)")
    let page = Int(MARTLET_PAGE)
    let other = KeyValueCache(layout: layout)
    other.count = count
    other.pages = Array(pages.prefix((count + page - 1) / page))
    if count % page != 0, let last = other.pages.popLast() {
      let twin = Storage(byteCount: last.byteCount)
      twin.pointer.copyMemory(from: last.pointer, byteCount: last.byteCount)
      other.pages.append(twin)
    }
    return other
  }

  /// Makes room for `rows` more positions.
  public func reserve(_ rows: Int) {
    let page = Int(MARTLET_PAGE)
    while pages.count * page < count + rows { pages.append(.zeros(byteCount: layout.pageByteCount)) }
  }

  /// Counts `rows` stored positions, once all layers have stored theirs.
  public func advance(_ rows: Int) { count += rows }

  /// The bytes of the used pages, for saving.
  public var pageBytes: [UnsafeRawBufferPointer] {
    pages.map { UnsafeRawBufferPointer(start: $0.pointer, count: $0.byteCount) }
  }

  /// Takes positions saved by another cache of the same layout.
  public func restore(count: Int, page: (Int, UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let needed = (count + Int(MARTLET_PAGE) - 1) / Int(MARTLET_PAGE)
    pages = []
    for index in 0..<needed {
      let storage = Storage(byteCount: layout.pageByteCount)
      try page(index, UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
      pages.append(storage)
    }
    self.count = count
  }

  fileprivate func offset(layer: Int, head: Int) -> Int { (layer * layout.heads + head) * layout.headByteCount }

  fileprivate func store(layer: Int, head: Int, position: Int, key: UnsafePointer<Float>, value: UnsafePointer<Float>) {
    let page = Int(MARTLET_PAGE)
    martlet_cache_store(
      layout.type, pages[position / page].pointer + offset(layer: layer, head: head), Int64(position % page), key,
      value,
      Int64(layout.paddedSize))
  }

  fileprivate func withPages<Result>(_ body: ([UnsafeRawPointer?]) -> Result) -> Result {
    withExtendedLifetime(pages) { body(pages.map { UnsafeRawPointer($0.pointer) }) }
  }
}

/// Causal self-attention with grouped heads over ragged sequences.
///
/// Row r of a span stands at position `cache.count + (r - span.lowerBound)`. Keys and values
/// (`[rows, keyValueHeads * size]`) are stored in the caches first.
///
/// - Parameters:
///   - query: `[rows, heads * size]`
///   - key: `[rows, keyValueHeads * size]`.
///   - value: `[rows, keyValueHeads * size]`.
///   - heads: of the queries.
///   - layer: whose part of the caches is read and written.
///   - spans: which rows belong to which sequence.
///   - caches: one a span, with room reserved.
/// - Returns: `[rows, heads * size]`
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, layer: Int, spans: [Range<Int>], caches: [KeyValueCache]
) -> Tensor {
  let layout = caches[0].layout
  let size = layout.headSize, padded = layout.paddedSize, keyValueHeads = layout.heads
  precondition(query.columns == heads * size && key.columns == keyValueHeads * size && heads % keyValueHeads == 0)
  let query = query.padded(heads: heads, from: size, to: padded)
  let key = key.padded(heads: keyValueHeads, from: size, to: padded)
  let value = value.padded(heads: keyValueHeads, from: size, to: padded)
  let result = Tensor(
    storage: Storage(byteCount: query.rows * heads * padded * 4), shape: [query.rows, heads * padded])
  let (q, k, v, y) = (query.floats, key.floats, value.floats, result.mutableFloats)
  let group = heads / keyValueHeads
  let scale = 1 / Float(size).squareRoot()

  // A work item is one key/value head of one span and a block of its rows: few for a long prompt (they share
  // the loads of keys), many for threads to balance.
  struct Item {
    let sequence, head: Int
    let rows: Range<Int>
  }
  var items: [Item] = []
  for (sequence, span) in spans.enumerated() {
    let block = max(1, 64 / group)
    for start in stride(from: span.lowerBound, to: span.upperBound, by: block) {
      let rows = start..<min(span.upperBound, start + block)
      for head in 0..<keyValueHeads { items.append(Item(sequence: sequence, head: head, rows: rows)) }
    }
  }
  items.reverse()  // the longest contexts first
  for (sequence, span) in spans.enumerated() {
    let cache = caches[sequence]
    Parallel.forEach(span.count, grain: 8) { rows in
      for row in rows {
        for head in 0..<keyValueHeads {
          let place = ((span.lowerBound + row) * keyValueHeads + head) * padded
          cache.store(layer: layer, head: head, position: cache.count + row, key: k + place, value: v + place)
        }
      }
    }
  }
  let pages = caches.map { cache in cache.withPages { $0 } }
  withExtendedLifetime(caches) {
    Parallel.run(items.count) { index in
      let item = items[index]
      let cache = caches[item.sequence], first = spans[item.sequence].lowerBound
      let count = item.rows.count * group
      var sources: [UnsafePointer<Float>?] = []
      var targets: [UnsafeMutablePointer<Float>?] = []
      var limits: [Int64] = []
      sources.reserveCapacity(count)
      targets.reserveCapacity(count)
      limits.reserveCapacity(count)
      for row in item.rows {
        for head in item.head * group..<(item.head + 1) * group {
          sources.append(q + (row * heads + head) * padded)
          targets.append(y + (row * heads + head) * padded)
          limits.append(Int64(cache.count + row - first + 1))
        }
      }
      martlet_attention(
        layout.type, sources, targets, limits, Int64(count), pages[item.sequence],
        cache.offset(layer: layer, head: item.head), Int64(padded), scale)
    }
  }
  return result.padded(heads: heads, from: padded, to: size)
}

extension Tensor {
  /// Copies each head's `from` values into a place of `to` values: longer places end in zeros, shorter ones drop
  /// the rest.
  fileprivate func padded(heads: Int, from: Int, to: Int) -> Tensor {
    if from == to { return self }
    let result = Tensor.zeros([rows, heads * to])
    for head in 0..<rows * heads {
      (result.mutableFloats + head * to).update(from: floats + head * from, count: min(from, to))
    }
    return result
  }
}
