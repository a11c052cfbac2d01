import Foundation
import MartletLayers
import MartletTensor

/// The attention of RWKV-5 (Peng et al., 2024, section 4.1; BlinkDL's RWKV-v5).
struct RWKV5TimeMix: Sendable {
  var receptanceMix, keyMix, valueMix: Tensor  // [C] each
  var gateMix: Tensor?  // [C], from 5.1
  var receptance, key, value, output: Linear
  var gate: Linear?
  var timeDecay: Tensor  // [heads, 1] to 5.1, [heads, size] in 5.2
  var timeFirst: Tensor  // as timeDecay: log u in 5.0, u from 5.1
  var normWeight, normBias: Tensor  // ln_x, [heads * size]
  /// The state S that sequences begin with, `[heads, size values, size keys]` as a .pth stores it; nil for zeros.
  var startState: Tensor?
  let heads: Int
  let epsilon: Double
  let isBonusLogarithmic: Bool
  /// w = exp(-exp(timeDecay)) and u, [heads * size], worked out once in double precision.
  private(set) var decay, bonus: Tensor

  init(
    receptanceMix: Tensor, keyMix: Tensor, valueMix: Tensor, gateMix: Tensor?, receptance: Linear, key: Linear,
    value: Linear, output: Linear, gate: Linear?, timeDecay: Tensor, timeFirst: Tensor, normWeight: Tensor,
    normBias: Tensor, configuration c: RWKV5Configuration
  ) {
    self.receptanceMix = receptanceMix
    self.keyMix = keyMix
    self.valueMix = valueMix
    self.gateMix = gateMix
    self.receptance = receptance
    self.key = key
    self.value = value
    self.output = output
    self.gate = gate
    self.timeDecay = timeDecay
    self.timeFirst = timeFirst
    self.normWeight = normWeight
    self.normBias = normBias
    heads = c.heads
    epsilon = Double(c.groupNormEpsilon)
    isBonusLogarithmic = c.version == .v5_0
    decay = timeDecay
    bonus = timeFirst
    prepare()
  }

  /// Works out what inference uses, after the parameters have changed.
  mutating func prepare() {
    let size = normWeight.count / heads
    func perChannel(_ x: Tensor, _ map: (Double) -> Double) -> Tensor {
      let values = x.values.map { Float(map(Double($0))) }
      return Tensor(values.count == heads ? values.flatMap { [Float](repeating: $0, count: size) } : values)
    }
    decay = perChannel(timeDecay) { exp(-exp($0)) }
    bonus = perChannel(timeFirst) { isBonusLogarithmic ? exp($0) : $0 }
  }

  /// - Parameters:
  ///   - a: the layer-normed input, `[rows, C]`
  ///   - past: what the sequences carry.
  /// - Returns: `[rows, C]`
  func callAsFunction(_ a: Tensor, spans: [Range<Int>], past: RWKV5Past, layer: Int) -> Tensor {
    let previous = past.shift(a, spans: spans) { $0.attentionShift(layer) }
    var inputs = [
      (receptance, lerp(a, previous, mix: receptanceMix)), (key, lerp(a, previous, mix: keyMix)),
      (value, lerp(a, previous, mix: valueMix)),
    ]
    if let gate, let gateMix { inputs.append((gate, lerp(a, previous, mix: gateMix))) }
    let products = Linear.apply(inputs.map { (layer: $0.0, input: $0.1) })
    // y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j, head by head
    var y: Tensor
    if case .carried(let states) = past {
      y = wkv5(
        receptance: products[0], key: products[1], value: products[2], decay: decay, bonus: bonus, heads: heads,
        spans: spans, states: states.map { $0.recurrence(layer) })
    } else {
      let channels = [heads, normWeight.count / heads]
      let logDecay = (-exp(timeDecay)).broadcast(to: channels).reshaped([normWeight.count])
      let u = (isBonusLogarithmic ? exp(timeFirst) : timeFirst).broadcast(to: channels).reshaped([normWeight.count])
      y = wkv5(
        receptance: products[0], key: products[1], value: products[2], logDecay: logDecay, bonus: u, heads: heads,
        spans: spans)
      switch past {
      case .constant(let states):
        y = y + remembered(products[0], spans: spans, states: states.map { $0.recurrence(layer) })
      case .none:
        if let startState { y = y + started(products[0], logDecay: logDecay, spans: spans, from: startState) }
      case .carried: break  // its states brought it
      }
    }
    y = groupNorm(y, groups: heads, weight: normWeight, bias: normBias, epsilon: epsilon)
    if gate != nil { y = siluMultiply(products[3], y) }
    return output(y)
  }

  /// What start states add to the recurrence, which is linear in them: `r_t w^t S`, `[rows, heads * size]`.
  private func remembered(_ receptance: Tensor, spans: [Range<Int>], states: [StateSlice]) -> Tensor {
    let size = normWeight.count / heads, w = decay.doubleValues
    return concatenated(
      zip(spans, states).map { span, state in
        let faded = Tensor(
          (0..<span.count).flatMap { t in w.map { Float(pow($0, Double(t))) } }, shape: [span.count, w.count])
        let r = (receptance.rows(span) * faded).reshaped([span.count, heads, size]).permuted([1, 0, 2])
        let start = Tensor(state.values(count: w.count * size), shape: [heads, size, size])
        return matmul(r, start).permuted([1, 0, 2]).reshaped([span.count, w.count])
      })
  }

  /// What the start state adds to the recurrence, `[rows, heads * size]`: `r_t w^t S`, t counted from the beginning of
  /// each sequence. Gradients flow to the start state, the decay and the receptance.
  private func started(_ receptance: Tensor, logDecay: Tensor, spans: [Range<Int>], from state: Tensor) -> Tensor {
    let size = normWeight.count / heads, rows = receptance.rows
    let times = Tensor(
      doubles: spans.flatMap { span in (0..<span.count).map(Double.init) }, shape: [rows, 1], dtype: receptance.dtype)
    let faded = receptance * exp(times * logDecay.reshaped([1, normWeight.count]))
    let r = faded.reshaped([rows, heads, size]).permuted([1, 0, 2])
    return matmul(r, state.permuted([0, 2, 1])).permuted([1, 0, 2]).reshaped([rows, normWeight.count])
  }

  /// Every parameter beside the linear layers, by BlinkDL's name.
  mutating func visitVectors(_ prefix: String, _ body: (String, inout Tensor) -> Void) {
    body(prefix + "time_mix_k", &keyMix)
    body(prefix + "time_mix_v", &valueMix)
    body(prefix + "time_mix_r", &receptanceMix)
    if var mix = gateMix {
      body(prefix + "time_mix_g", &mix)
      gateMix = mix
    }
    body(prefix + "time_decay", &timeDecay)
    body(prefix + (isBonusLogarithmic ? "time_first" : "time_faaaa"), &timeFirst)
    body(prefix + "ln_x.weight", &normWeight)
    body(prefix + "ln_x.bias", &normBias)
    if var state = startState {
      body(prefix + "time_state", &state)
      startState = state
    }
  }

  mutating func visitLinears(_ prefix: String, _ body: (String, inout Linear) -> Void) {
    body(prefix + "receptance", &receptance)
    body(prefix + "key", &key)
    body(prefix + "value", &value)
    if var linear = gate {
      body(prefix + "gate", &linear)
      gate = linear
    }
    body(prefix + "output", &output)
  }
}
