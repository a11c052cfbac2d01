import CMartletKernels

extension KeyValueCache {
  /// Positions in a page.
  static var pageSize: Int { Int(MARTLET_PAGE) }

  /// Stores one position's key and value of one head, whose part of a page begins at `offset` bytes.
  fileprivate func store(
    at offset: Int, size: Int, position: Int, key: UnsafePointer<Float>, value: UnsafePointer<Float>
  ) {
    martlet_cache_store(
      layout.type, pages[position / Self.pageSize].pointer + offset, Int64(position % Self.pageSize), key, value,
      Int64(size))
  }
}

extension KeyValueCache.Layout {
  fileprivate var type: martlet_cache_type { half ? MARTLET_CACHE_F16 : MARTLET_CACHE_F32 }
}

extension KeyValueCache.Layout.Layer {
  /// Head size in memory: kernels work on multiples of 16.
  fileprivate var paddedSize: Int { (headSize + 15) / 16 * 16 }
  /// Bytes of one head's keys and values in a page.
  func headByteCount(half: Bool) -> Int { 2 * KeyValueCache.pageSize * paddedSize * (half ? 2 : 4) }
}

extension CPU {
  /// Stores the keys and values of one layer in the caches and attends over all that they then hold.
  static func attention(
    query: Tensor, key: Tensor, value: Tensor, heads: Int, layer: Int, spans: [Range<Int>], caches: [KeyValueCache]
  ) -> Tensor {
    let layout = caches[0].layout, kept = layout.layers[layer]
    // Where a head's part of a page begins, in bytes.
    let start = layout.offsets[layer], stride = kept.headByteCount(half: layout.half)
    let size = kept.headSize, padded = kept.paddedSize, keyValueHeads = kept.heads
    let query = withHeadSize(query, heads: heads, from: size, to: padded)
    let key = withHeadSize(key, heads: keyValueHeads, from: size, to: padded)
    let value = withHeadSize(value, heads: keyValueHeads, from: size, to: padded)
    let result = Tensor.empty([query.rows, heads * padded])
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
      for first in Swift.stride(from: span.lowerBound, to: span.upperBound, by: block) {
        let rows = first..<min(span.upperBound, first + block)
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
            cache.store(
              at: start + head * stride, size: padded, position: cache.count + row, key: k + place, value: v + place)
          }
        }
      }
    }
    let pages = caches.map { $0.pages.map { UnsafeRawPointer?($0.pointer) } }
    withExtendedLifetime((query, key, value, caches)) {
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
          start + item.head * stride, Int64(padded), scale)
      }
    }
    return withHeadSize(result, heads: heads, from: padded, to: size)
  }

  /// Copies each head's `from` values into a place of `to` values: longer places end in zeros, shorter ones drop
  /// the rest.
  private static func withHeadSize(_ x: Tensor, heads: Int, from: Int, to: Int) -> Tensor {
    if from == to { return x }
    let result = Tensor.zeros([x.rows, heads * to])
    for head in 0..<x.rows * heads {
      (result.mutableFloats + head * to).update(from: x.floats + head * from, count: min(from, to))
    }
    return result
  }
}
