/// The WKV5 recurrence of RWKV-5 over the rows of one sequence (Peng et al., 2024, eq. 16-17):
///
///     y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j
///
/// for each head. `r`, `k`, `v` are `[rows, heads * size]`, `decay` and `bonus` `[heads * size]`.
///
/// - Parameters:
///   - r: the receptance, `[rows, heads * size]`.
///   - k: the key, `[rows, heads * size]`.
///   - v: the value, `[rows, heads * size]`.
///   - decay: the factor by which the state decays with each row, `[heads * size]`.
///   - bonus: the weight of the current row, `[heads * size]`.
///   - heads: the number of heads.
///   - spans: the rows of each sequence, in the order of the states.
///   - states: one state `[heads, size keys, size values]` for each span, updated in place.
/// - Returns: `[rows, heads * size]`
///
/// Precondition: the shapes are as said, the spans lie within the rows, and each has a state of its size.
public func wkv5(
  receptance r: Tensor, key k: Tensor, value v: Tensor, decay: Tensor, bonus: Tensor, heads: Int,
  spans: [Range<Int>], states: [StateSlice]
) -> Tensor {
  let width = r.columns
  precondition(k.shape == r.shape && v.shape == r.shape && decay.count == width && bonus.count == width)
  precondition(heads > 0 && width % heads == 0, "\(width) features in \(heads) heads")
  spans.check(rows: r.rows)
  states.check(count: width * (width / heads), spans: spans)
  return CPU.wkv5(
    receptance: r, key: k, value: v, decay: decay, bonus: bonus, heads: heads, spans: spans, states: states)
}

/// Row t becomes row t - 1 of its sequence; the first row of a span becomes the sequence's `carried` row,
/// which then takes the span's last row ("token shift").
///
/// Precondition: every span has rows, which lie within those of `x`, and a carried row of `x.columns` elements.
public func tokenShift(_ x: Tensor, spans: [Range<Int>], carried: [StateSlice]) -> Tensor {
  spans.check(rows: x.rows, least: 1)
  carried.check(count: x.columns, spans: spans)
  return CPU.tokenShift(x, spans: spans, carried: carried)
}
