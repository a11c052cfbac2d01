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
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, layer: Int, spans: [Range<Int>], caches: [KeyValueCache]
) -> Tensor {
  let kept = caches[0].layout.layers[layer]
  let size = kept.headSize, keyValueHeads = kept.heads
  precondition(query.columns == heads * size && key.columns == keyValueHeads * size && heads % keyValueHeads == 0)
  return CPU.attention(
    query: query, key: key, value: value, heads: heads, layer: layer, spans: spans, caches: caches)
}
