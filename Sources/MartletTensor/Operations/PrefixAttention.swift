/// Causal self-attention of the last rows of sequences whose earlier keys and values are constants.
///
/// Row r of a span attends to the whole `prefix` of its sequence and to the rows of the span up to itself. The function
/// is composed of differentiable primitives. It suits few rows whose gradients are computed many times, as in training
/// an edit.
///
/// - Parameters:
///   - query: `[rows, heads * size]`
///   - key: `[rows, keyValueHeads * size]`.
///   - value: `[rows, keyValueHeads * size]`.
///   - heads: the number of query heads.
///   - keyValueHeads: the number of key and value heads, a divisor of `heads`.
///   - spans: the rows of each sequence.
///   - prefix: one pair of keys and values `[prefix rows, keyValueHeads * size]` for each span; a prefix may be empty.
/// - Returns: `[rows, heads * size]`
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, keyValueHeads: Int, spans: [Range<Int>],
  prefix: [(key: Tensor, value: Tensor)]
) -> Tensor {
  precondition(spans.count == prefix.count, "\(prefix.count) prefixes of \(spans.count) sequences")
  let size = query.columns / heads, group = heads / keyValueHeads
  let parts = zip(spans, prefix).map { span, prefix -> Tensor in
    let rows = span.count, before = prefix.key.rows, all = before + rows
    // Queries of one key/value head stand together: [keyValueHeads, group * rows, size].
    let q = query.rows(span).reshaped([rows, keyValueHeads, group, size]).permuted([1, 2, 0, 3])
      .reshaped([keyValueHeads, group * rows, size])
    let k = concatenated([prefix.key, key.rows(span)]).reshaped([all, keyValueHeads, size]).permuted([1, 2, 0])
    let v = concatenated([prefix.value, value.rows(span)]).reshaped([all, keyValueHeads, size]).permuted([1, 0, 2])
    let hidden = Tensor(
      (0..<group * rows * all).map { place -> Float in place % all > before + place / all % rows ? -1e30 : 0 },
      shape: [group * rows, all])
    let weights = softmax(matmul(q, k) * (1 / Double(size).squareRoot()) + hidden)
    return matmul(weights, v).reshaped([keyValueHeads, group, rows, size]).permuted([2, 0, 1, 3])
      .reshaped([rows, heads * size])
  }
  return parts.count == 1 ? parts[0] : concatenated(parts)
}
