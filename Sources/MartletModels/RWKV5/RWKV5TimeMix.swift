import MartletTensor

/// The attention of RWKV-5 (Peng et al., 2024, section 4.1; BlinkDL's RWKV-v5).
struct RWKV5TimeMix: Sendable {
  let receptanceMix, keyMix, valueMix: Tensor  // [C] each
  let gateMix: Tensor?  // [C], from 5.1
  let receptance, key, value, output: Linear
  let gate: Linear?
  let decay: Tensor  // w = exp(-exp(time_decay)), [heads * size]
  let bonus: Tensor  // u, [heads * size]
  let normWeight, normBias: Tensor  // ln_x, [heads * size]
  let heads: Int
  let epsilon: Float

  /// - Parameter a: the layer-normed input, `[rows, C]`
  /// - Returns: `[rows, C]`
  func callAsFunction(_ a: Tensor, spans: [Range<Int>], states: [RWKV5State], layer: Int) -> Tensor {
    let previous = tokenShift(a, spans: spans, carried: states.map { $0.attentionShift(layer) })
    var inputs = [
      (receptance, lerp(a, previous, mix: receptanceMix)), (key, lerp(a, previous, mix: keyMix)),
      (value, lerp(a, previous, mix: valueMix)),
    ]
    if let gate, let gateMix { inputs.append((gate, lerp(a, previous, mix: gateMix))) }
    let products = Linear.apply(inputs.map { (layer: $0.0, input: $0.1) })
    // y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j, head by head
    var y = wkv5(
      receptance: products[0], key: products[1], value: products[2], decay: decay, bonus: bonus, heads: heads,
      spans: spans, states: states.map { $0.recurrence(layer) })
    y = groupNorm(y, groups: heads, weight: normWeight, bias: normBias, epsilon: epsilon)
    if gate != nil { y = siluMultiply(products[3], y) }
    return output(y)
  }
}
