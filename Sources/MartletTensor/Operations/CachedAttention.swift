/// Causal self-attention with grouped heads over ragged sequences.
///
/// Row r of a span stands at position `cache.count + (r - span.lowerBound)`. Keys and values
/// (`[rows, keyValueHeads * size]`) are stored in the caches first. Records no gradient.
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
  let kept = caches[0].layout.layers[layer]
  let size = kept.headSize, keyValueHeads = kept.heads
  precondition(query.columns == heads * size && key.columns == keyValueHeads * size && heads % keyValueHeads == 0)
  return CPU.attention(
    query: query, key: key, value: value, heads: heads, layer: layer, spans: spans, caches: caches)
}
