import Foundation
import MartletTensor
import MartletTestSupport
import Testing

/// The 47 operations in `images/reference` of the data folder given by MARTLET_DATA (PyTorch, float64): value, gradient,
/// and the gradient of the gradient.
struct OperationFixtureTests {
  struct Case: CustomTestStringConvertible, @unchecked Sendable {
    let name: String
    let attributes: [String: Any]
    let inputs: [String: Tensor]
    let output, cotangent: Tensor
    let gradient, direction, second: [String: Tensor]
    var testDescription: String { name }
  }

  /// A shaped object, or a flat list in the shape of `like`.
  private static func tensor(_ value: Any?, like: Tensor? = nil) -> Tensor? {
    if let object = value as? [String: Any], let shape = object["shape"] as? [Int] {
      return (object["data"] as? [NSNumber]).map { Tensor(doubles: $0.map(\.doubleValue), shape: shape) }
    }
    return (value as? [NSNumber]).map { Tensor(doubles: $0.map(\.doubleValue), shape: like?.shape) }
  }

  private static func tensors(_ value: Any?, like inputs: [String: Tensor] = [:]) -> [String: Tensor] {
    let object = value as? [String: Any] ?? [:]
    return Dictionary(
      uniqueKeysWithValues: object.compactMap { key, value in tensor(value, like: inputs[key]).map { (key, $0) } })
  }

  static let cases: [Case] = {
    guard let folder = TestData.shared,
      let object = try? JSONSerialization.jsonObject(
        with: TestData.gunzip(folder + "/images/reference/autograd_op_fixtures_f64.json.gz")) as? [String: Any]
    else { return [] }
    return (object["cases"] as? [[String: Any]] ?? []).compactMap { entry in
      let second = entry["second"] as? [String: Any]
      guard let name = entry["op"] as? String, let output = tensor(entry["output"]),
        let cotangent = tensor(entry["cotangent"], like: output)
      else { return nil }
      let inputs = tensors(entry["inputs"])
      return Case(
        name: name, attributes: entry["attrs"] as? [String: Any] ?? [:], inputs: inputs,
        output: output, cotangent: cotangent, gradient: tensors(entry["vjp"], like: inputs),
        direction: tensors(second?["direction"], like: inputs),
        second: tensors(second?["grad_of_vjp_dot_direction"], like: inputs))
    }
  }()

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA is absent")) func everyFixtureIsRead() {
    #expect(Self.cases.count == 47)
  }

  @Test(arguments: cases) func inDoublePrecision(_ item: Case) throws {
    try check(item, dtype: .float64, relative: 1e-9, absolute: 1e-10)
  }

  @Test(arguments: cases) func inSinglePrecision(_ item: Case) throws {
    try check(item, dtype: .float32, relative: 1e-3, absolute: 1e-5)
  }

  private func check(_ item: Case, dtype: DType, relative: Double, absolute: Double) throws {
    let names = item.inputs.keys.sorted()
    let variables = names.map { item.inputs[$0]!.cast(to: dtype).variable() }
    let inputs = Dictionary(uniqueKeysWithValues: zip(names, variables))
    let y = try #require(evaluate(item.name, inputs, item.attributes), "no such operation: \(item.name)")
    expectClose(y, item.output, relative, absolute, "\(item.name): value")
    let first = gradients(
      of: y, withRespectTo: variables, upstream: item.cotangent.cast(to: dtype), createGraph: true)
    for (name, gradient) in zip(names, first) {
      expectClose(gradient, try #require(item.gradient[name]), relative, absolute, "\(item.name): gradient of \(name)")
    }
    // Without a graph the fused kernels run.
    let plain = gradients(of: y, withRespectTo: variables, upstream: item.cotangent.cast(to: dtype))
    for (name, gradient) in zip(names, plain) {
      expectClose(gradient, item.gradient[name]!, relative, absolute, "\(item.name): plain gradient of \(name)")
    }
    var dot = Tensor(0, dtype: dtype)
    for (name, gradient) in zip(names, first) { dot = dot + (gradient * item.direction[name]!.cast(to: dtype)).sum() }
    guard dot.isRecorded else {  // linear operations: no second derivative
      for name in names { #expect(item.second[name]!.doubleValues.allSatisfy { $0 == 0 }) }
      return
    }
    for (name, gradient) in zip(names, gradients(of: dot, withRespectTo: variables)) {
      expectClose(gradient, item.second[name]!, relative, absolute, "\(item.name): second derivative of \(name)")
    }
  }

  private func expectClose(_ a: Tensor, _ b: Tensor, _ relative: Double, _ absolute: Double, _ what: String) {
    #expect(a.shape == b.shape, "\(what)")
    let worst = zip(a.doubleValues, b.doubleValues).map { abs($0 - $1) - relative * abs($1) }.max() ?? 0
    #expect(worst <= absolute, "\(what) off by \(worst)")
  }

  private func evaluate(_ name: String, _ x: [String: Tensor], _ attributes: [String: Any]) -> Tensor? {
    func number(_ key: String) -> Double { (attributes[key] as? NSNumber)?.doubleValue ?? .nan }
    func whole(_ key: String) -> Int { (attributes[key] as? NSNumber)?.intValue ?? -1 }
    let a = x["a"] ?? x["w"] ?? x["q"] ?? x["x"] ?? x["r"]!
    let (b, w) = (x["b"] ?? a, x["w"] ?? a)
    let spans = [0..<(x["r"] ?? a).shape[0]]
    switch name {
    case "add_broadcast": return a + b
    case "mul_broadcast": return a * b
    case "div": return a / b
    case "matmul", "batched_matmul": return matmul(a, b)
    case "exp": return exp(a)
    case "tanh": return tanh(a)
    case "sigmoid": return sigmoid(a)
    case "softplus": return softplus(a)
    case "silu": return silu(a)
    case "square": return a.squared
    case "sin": return sin(a)
    case "log": return log(a)
    case "sqrt": return sqrt(a)
    case "rsqrt": return rsqrt(a)
    case "relu": return relu(a)
    case "leaky_relu": return leakyRelu(a, slope: number("slope"))
    case "relu_squared": return reluSquared(a)
    case "gelu_erf": return gelu(a)
    case "gelu_tanh": return geluTanh(a)
    case "sum_axis": return a.sum(axes: [whole("axis")])
    case "mean_all": return a.mean()
    case "max_axis": return a.maximum(axis: whole("axis"))
    case "l2_norm_rows": return a.norm()
    case "project_unit_sphere": return a / a.norm().reshaped([a.shape[0], 1])
    case "softmax": return softmax(a)
    case "log_softmax": return logSoftmax(a)
    case "cross_entropy_mean": return crossEntropy(a, targets: attributes["labels"] as? [Int] ?? [])
    case "bce_with_logits_mean":
      let rows = (attributes["targets"] as? [[NSNumber]] ?? []).flatMap { $0.map(\.doubleValue) }
      return binaryCrossEntropy(a, targets: Tensor(doubles: rows, shape: a.shape, dtype: a.dtype))
    case "layer_norm": return layerNorm(a, weight: w, bias: b, epsilon: number("eps"))
    case "rms_norm": return rmsNorm(a, weight: w, epsilon: number("eps"))
    case "group_norm":
      return groupNorm(a, groups: whole("groups"), weight: w, bias: b, epsilon: number("eps"))
    case "batch_norm_train": return batchNorm(a, weight: w, bias: b, epsilon: number("eps")).result
    case "conv2d": return convolution(a, weight: w, bias: b, stride: whole("stride"), padding: whole("padding"))
    case "conv_transpose2d":
      return transposedConvolution(a, weight: w, bias: b, stride: whole("stride"), padding: whole("padding"))
    case "spectral_norm_one_power_iteration":
      let left = (attributes["u0"] as? [NSNumber] ?? []).map(\.doubleValue)
      return spectralNorm(w, left: Tensor(doubles: left, dtype: w.dtype)).result
    case "embedding":
      let ids = attributes["ids"] as? [[Int]] ?? []
      return w.gatherRows(ids.flatMap { $0 }).reshaped([ids.count, ids[0].count, w.shape[1]])
    case "rope_half_split":
      // [batch, time, size]: positions along time.
      let pairs = a.shape[2] / 2
      let frequencies = (0..<pairs).map { (pair: Int) -> Double in
        pow(number("base"), -2 * Double(pair) / Double(a.shape[2]))
      }
      let angles = (0..<a.shape[0] * a.shape[1]).flatMap { (row: Int) -> [Double] in
        frequencies.map { Double(row % a.shape[1]) * $0 }
      }
      let shape = [a.shape[0] * a.shape[1], pairs]
      return rotary(
        a.reshaped([shape[0], a.shape[2]]),
        cosine: Tensor(doubles: angles.map { Foundation.cos($0) }, shape: shape, dtype: a.dtype),
        sine: Tensor(doubles: angles.map { Foundation.sin($0) }, shape: shape, dtype: a.dtype), heads: 1,
        interleaved: false
      ).reshaped(a.shape)
    case "causal_attention":
      let rows = [a.shape[0] * a.shape[1], a.shape[2]]
      return attention(
        query: a.reshaped(rows), key: x["k"]!.reshaped(rows), value: x["v"]!.reshaped(rows), heads: 1,
        keyValueHeads: 1, spans: (0..<a.shape[0]).map { $0 * a.shape[1]..<($0 + 1) * a.shape[1] }
      ).reshaped(a.shape)
    case "rwkv5_wkv_one_head":
      return wkv5(
        receptance: x["r"]!, key: x["k"]!, value: x["v"]!, logDecay: -exp(w), bonus: x["uu"]!, heads: 1, spans: spans)
    case "lora_linear":
      let low = matmul(matmul(x["x"]!, x["a"]!.transposed()), x["b"]!.transposed())
      return matmul(x["x"]!, w.transposed()) + low * number("scale")
    case "tversky_loss":
      let labels = attributes["labels"] as? [Int] ?? []
      let oneHot = Tensor(
        doubles: (0..<a.count).map { labels[$0 / a.shape[1]] == $0 % a.shape[1] ? 1.0 : 0.0 }, shape: a.shape,
        dtype: a.dtype)
      let p = softmax(a)
      // Class by class.
      let hit = (p * oneHot).sum(axes: [0]), smooth = number("smooth")
      let wrong = (p * (1 - oneHot)).sum(axes: [0]), missed = ((1 - p) * oneHot).sum(axes: [0])
      return 1 - ((hit + smooth) / (hit + wrong * number("alpha_fp") + missed * number("beta_fn") + smooth)).mean()
    case "cumsum": return a.cumulativeSum(axis: whole("axis"))
    case "gather":
      let index = attributes["index"] as? [[Int]] ?? []
      return a.gathered(axis: whole("axis"), index.flatMap { $0 }, shape: [index.count, index[0].count])
    case "clamp": return clamp(a, from: number("lo"), to: number("hi"))
    case "soft_threshold": return relu(a - number("lam")) - relu(-a - number("lam"))
    case "dct2_orthonormal_matrix":
      func basis(_ n: Int) -> Tensor {
        Tensor(
          doubles: (0..<n * n).map { place in
            let (k, i) = (place / n, place % n)
            let scale = (k == 0 ? 1.0 : 2.0) / Double(n)
            return scale.squareRoot() * Foundation.cos(Double.pi * (2 * Double(i) + 1) * Double(k) / Double(2 * n))
          }, shape: [n, n], dtype: a.dtype)
      }
      return matmul(a, basis(a.shape[1]).transposed())
    default: return nil
    }
  }
}
