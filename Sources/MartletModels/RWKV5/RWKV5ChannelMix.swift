import MartletTensor

/// The feed-forward part of RWKV-5: `sigmoid(Wr z_r) * Wv max(Wk z_k, 0)^2`.
struct RWKV5ChannelMix: Sendable {
  let keyMix, receptanceMix: Tensor  // [C] each
  let key: Linear  // [F, C]
  let receptance: Linear  // [C, C]
  let value: Linear  // [C, F]

  /// - Parameter a: the layer-normed input, `[rows, C]`
  func callAsFunction(_ a: Tensor, spans: [Range<Int>], states: [RWKV5State], layer: Int) -> Tensor {
    let previous = tokenShift(a, spans: spans, carried: states.map { $0.feedForwardShift(layer) })
    let products = Linear.apply([
      (layer: key, input: lerp(a, previous, mix: keyMix)),
      (layer: receptance, input: lerp(a, previous, mix: receptanceMix)),
    ])
    return sigmoid(products[1]) * value(reluSquared(products[0]))
  }
}
