import MartletLayers
import MartletTensor

/// The feed-forward part of RWKV-5: `sigmoid(Wr z_r) * Wv max(Wk z_k, 0)^2`.
struct RWKV5ChannelMix: Sendable {
  var keyMix, receptanceMix: Tensor  // [C] each
  var key: Linear  // [F, C]
  var receptance: Linear  // [C, C]
  var value: Linear  // [C, F]

  /// - Parameters:
  ///   - a: the layer-normed input, `[rows, C]`
  ///   - past: what the sequences carry.
  func callAsFunction(_ a: Tensor, spans: [Range<Int>], past: RWKV5Past, layer: Int) -> Tensor {
    let previous = past.shift(a, spans: spans) { $0.feedForwardShift(layer) }
    let products = Linear.apply([
      (layer: key, input: lerp(a, previous, mix: keyMix)),
      (layer: receptance, input: lerp(a, previous, mix: receptanceMix)),
    ])
    return sigmoid(products[1]) * value(reluSquared(products[0]))
  }

  /// Every parameter beside the linear layers, by BlinkDL's name.
  mutating func visitVectors(_ prefix: String, _ body: (String, inout Tensor) -> Void) {
    body(prefix + "time_mix_k", &keyMix)
    body(prefix + "time_mix_r", &receptanceMix)
  }

  mutating func visitLinears(_ prefix: String, _ body: (String, inout Linear) -> Void) {
    body(prefix + "key", &key)
    body(prefix + "receptance", &receptance)
    body(prefix + "value", &value)
  }
}
