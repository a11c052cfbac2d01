/// Rotary position embedding (Su et al., 2021) of `[rows, heads * size]`; `cosine` and `sine` are constants of shape
/// `[rows, pairs]`. Pair i consists of the features (2i, 2i + 1) if `interleaved`, else (i, i + pairs).
public func rotary(_ x: Tensor, cosine: Tensor, sine: Tensor, heads: Int, interleaved: Bool) -> Tensor {
  let size = x.columns / heads, pairs = cosine.columns
  precondition(cosine.rows == x.rows && pairs * 2 <= size, "rotary of \(x.shape) by \(cosine.shape)")
  if x.dtype == .float64 {
    return composedRotary(x, cosine: cosine, sine: sine, heads: heads, interleaved: interleaved)
  }
  let result = CPU.rotary(x.contiguous(), cosine: cosine, sine: sine, heads: heads, interleaved: interleaved)
  // The gradient turns back.
  return result.recorded(from: [x], saving: [cosine, sine]) { context in
    [
      rotary(
        context.gradient, cosine: context.saved[0], sine: -context.saved[1], heads: heads, interleaved: interleaved)
    ]
  }
}

private func composedRotary(_ x: Tensor, cosine: Tensor, sine: Tensor, heads: Int, interleaved: Bool) -> Tensor {
  let pairs = cosine.columns, size = x.columns / heads
  let c = cosine.reshaped([x.rows, 1, pairs]), s = sine.reshaped([x.rows, 1, pairs])
  let parts = x.reshaped([x.rows, heads, size])
  let turned = parts.slice(axis: 2, 0..<2 * pairs)
  let rest = parts.slice(axis: 2, 2 * pairs..<size)
  if interleaved {
    let both = turned.reshaped([x.rows, heads, pairs, 2])
    let a = both.slice(axis: 3, 0..<1).reshaped([x.rows, heads, pairs])
    let b = both.slice(axis: 3, 1..<2).reshaped([x.rows, heads, pairs])
    let first = (a * c - b * s).reshaped([x.rows, heads, pairs, 1])
    let second = (a * s + b * c).reshaped([x.rows, heads, pairs, 1])
    let mixed = concatenated([first, second], axis: 3).reshaped([x.rows, heads, 2 * pairs])
    return concatenated([mixed, rest], axis: 2).reshaped(x.shape)
  }
  let a = turned.slice(axis: 2, 0..<pairs), b = turned.slice(axis: 2, pairs..<2 * pairs)
  return concatenated([a * c - b * s, a * s + b * c, rest], axis: 2).reshaped(x.shape)
}
