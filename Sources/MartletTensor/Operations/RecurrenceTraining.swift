/// The WKV5 recurrence over whole sequences from zero states, for training:
///
///     y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = exp(logDecay_i) S_ij + k_i v_j
///
/// `r`, `k`, `v` are `[rows, heads * size]`, `logDecay` (`-exp(time_decay)`) and `bonus` `[heads * size]`. In single
/// precision the backward pass consists of the four exact passes of BlinkDL's kernel, which store no states.
///
/// - Returns: `[rows, heads * size]`
///
/// Precondition: the shapes are as said, and the spans lie within the rows.
public func wkv5(
  receptance r: Tensor, key k: Tensor, value v: Tensor, logDecay: Tensor, bonus: Tensor, heads: Int,
  spans: [Range<Int>]
) -> Tensor {
  let width = r.columns
  precondition(k.shape == r.shape && v.shape == r.shape && logDecay.count == width && bonus.count == width)
  precondition(heads > 0 && width % heads == 0, "\(width) features in \(heads) heads")
  spans.check(rows: r.rows)
  let size = width / heads
  return fused([r, k, v, logDecay, bonus]) {
    composedRecurrence($0[0], $0[1], $0[2], $0[3], $0[4], heads: heads, spans: spans)
  } pullback: { context in
    let (r, k, v) = (context.saved[0].contiguous(), context.saved[1].contiguous(), context.saved[2].contiguous())
    let g = context.gradient.contiguous(), decay = exp(context.saved[3])
    let d = CPU.wkv5Gradient(
      receptance: r, key: k, value: v, decay: decay, bonus: context.saved[4], heads: heads, spans: spans, g)
    return [
      d.receptance, d.key, d.value, d.logDecay.sum(axes: [0]).reshaped(context.saved[3].shape),
      d.bonus.sum(axes: [0]).reshaped(context.saved[4].shape),
    ]
  } forward: {
    let count = heads * size * size
    let states = spans.map { _ in RecurrentState(count: count).slice(at: 0) }
    return wkv5(
      receptance: r.detached().contiguous(), key: k.detached().contiguous(), value: v.detached().contiguous(),
      decay: exp(logDecay.detached()), bonus: bonus.detached(), heads: heads, spans: spans, states: states)
  }
}

private func composedRecurrence(
  _ r: Tensor, _ k: Tensor, _ v: Tensor, _ logDecay: Tensor, _ bonus: Tensor, heads: Int, spans: [Range<Int>]
) -> Tensor {
  let size = r.columns / heads
  let w = exp(logDecay).reshaped([heads, size, 1]), u = bonus.reshaped([heads, size, 1])
  var rows: [Tensor] = []
  for span in spans {
    var state: Tensor?
    for row in span {
      let now = row..<row + 1
      let key = k.rows(now).reshaped([heads, size, 1]), value = v.rows(now).reshaped([heads, 1, size])
      let outer = key * value
      let seen = state.map { u * outer + $0 } ?? u * outer
      rows.append(matmul(r.rows(now).reshaped([heads, 1, size]), seen).reshaped([1, heads * size]))
      state = state.map { w * $0 + outer } ?? outer
    }
  }
  return concatenated(rows)
}

/// Row t becomes row t - 1 of its sequence, the first row of a span zero ("token shift").
///
/// Precondition: every span has rows, which lie within those of `x`.
public func tokenShift(_ x: Tensor, spans: [Range<Int>]) -> Tensor {
  spans.check(rows: x.rows, least: 1)
  return CPU.shift(x.contiguous(), spans, forward: true).recorded(from: [x]) {
    [tokenUnshift($0.gradient, spans: spans)]
  }
}

/// The adjoint of ``tokenShift(_:spans:)``: row t becomes row t + 1 of its sequence, the last row zero.
func tokenUnshift(_ x: Tensor, spans: [Range<Int>]) -> Tensor {
  CPU.shift(x.contiguous(), spans, forward: false).recorded(from: [x]) { [tokenShift($0.gradient, spans: spans)] }
}
