/// Causal self-attention with grouped-query heads over sequences of different lengths, with a key/value cache.
///
/// Row r of a span has the position `cache.count + (r - span.lowerBound)`. Keys and values (`[rows, keyValueHeads *
/// size]`) are stored in the caches first. No gradient is recorded.
///
/// - Parameters:
///   - query: `[rows, heads * size]`
///   - key: `[rows, keyValueHeads * size]`.
///   - value: `[rows, keyValueHeads * size]`.
///   - heads: the number of query heads.
///   - layer: the layer whose part of the caches is read and written.
///   - spans: the rows of each sequence.
///   - caches: one cache for each span, in which space was reserved before.
/// - Returns: `[rows, heads * size]`
///
/// Precondition: the shapes are as said, the spans lie within the rows, and the caches have one layout and reserved space.
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, layer: Int, spans: [Range<Int>], caches: [KeyValueCache]
) -> Tensor {
  precondition(!caches.isEmpty && caches.count == spans.count, "\(caches.count) caches of \(spans.count) sequences")
  let layout = caches[0].layout
  precondition(layout.layers.indices.contains(layer), "layer \(layer) of \(layout.layers.count)")
  let kept = layout.layers[layer]
  let size = kept.headSize, keyValueHeads = kept.heads
  precondition(query.columns == heads * size && key.columns == keyValueHeads * size && heads % keyValueHeads == 0)
  precondition(key.shape == value.shape && key.rows == query.rows)
  spans.check(rows: query.rows)
  for (span, cache) in zip(spans, caches) {
    precondition(cache.layout == layout && cache.capacity >= cache.count + span.count, "space was not reserved")
  }
  return CPU.attention(
    query: query, key: key, value: value, heads: heads, layer: layer, spans: spans, caches: caches)
}
