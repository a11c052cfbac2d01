/// Causal self-attention within each span, starting at its first row (Vaswani et al., 2017), with grouped-query heads.
/// This is the form for training, without a cache.
///
/// The attention weights `[rows, rows]` are never stored as a whole: the backward pass recomputes them for one block of
/// queries at a time.
///
/// - Parameters:
///   - query: `[rows, heads * size]`
///   - key: `[rows, keyValueHeads * size]`.
///   - value: `[rows, keyValueHeads * size]`.
///   - heads: the number of query heads.
///   - keyValueHeads: the number of key and value heads, a divisor of `heads`.
///   - spans: the rows of each sequence.
/// - Returns: `[rows, heads * size]`
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, keyValueHeads: Int, spans: [Range<Int>]
) -> Tensor {
  let method = CPU.Attention(heads: heads, keyValueHeads: keyValueHeads, size: query.columns / heads, spans: spans)
  precondition(
    query.columns == heads * method.size && key.columns == keyValueHeads * method.size && value.shape == key.shape
      && heads % keyValueHeads == 0, "\(query.shape), \(key.shape), \(value.shape) in \(heads) heads")
  return fused([query, key, value]) {
    method.composed($0[0], $0[1], $0[2])
  } pullback: { context in
    method.backward(
      context.saved[0].contiguous(), context.saved[1].contiguous(), context.saved[2].contiguous(),
      context.gradient.contiguous())
  } forward: {
    method.forward(query.contiguous(), key.contiguous(), value.contiguous())
  }
}

extension CPU.Attention {
  /// The same, made of primitives.
  fileprivate func composed(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
    let parts = spans.map { span -> Tensor in
      let length = span.count
      let q = query.rows(span).reshaped([length, keyValueHeads, group, size]).permuted([1, 2, 0, 3])
      let k = key.rows(span).reshaped([length, keyValueHeads, 1, size]).permuted([1, 2, 3, 0])
      let v = value.rows(span).reshaped([length, keyValueHeads, 1, size]).permuted([1, 2, 0, 3])
      let hidden = Tensor(
        doubles: (0..<length * length).map { $0 % length > $0 / length ? -1e300.squareRoot() : 0.0 },
        shape: [length, length],
        dtype: query.dtype)
      let weights = softmax(matmul(q, k) * scale + hidden)
      return matmul(weights, v).permuted([2, 0, 1, 3]).reshaped([length, heads * size])
    }
    return concatenated(parts)
  }
}
