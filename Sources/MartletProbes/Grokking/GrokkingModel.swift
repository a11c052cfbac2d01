import MartletLayers
import MartletTensor

/// The transformer of Nanda et al. (2023): tokens `a b =`, learned positions, causal attention and an MLP with ReLU, no
/// layer norm, and an untied unembedding; only the MLP has biases. It has one or two layers.
///
///     y = x + Attention(x);  z = y + MLP(y)   in every layer
///     logits = z[=] W_U
public struct GrokkingModel: Parameterized, Sendable {
  struct Layer: Sendable {
    var query, key, value, output: Tensor  // [width, width], applied as x W
    var up: Tensor  // [width, 4 width]
    var upBias: Tensor
    var down: Tensor  // [4 width, width]
    var downBias: Tensor
  }

  /// The prime modulus, the width of the model, and the number of heads.
  public let modulus, width, heads: Int
  var embedding: Tensor  // [modulus + 1, width]; the last row is "="
  var positions: Tensor  // [3, width]
  var layers: [Layer]
  var unembedding: Tensor  // [width, modulus + 1]

  /// A new model: normally distributed weights with standard deviation `1 / sqrt(width)`, and `1 / sqrt(modulus + 1)`
  /// for the unembedding; biases are 0.
  public init(modulus: Int, layers: Int, width: Int, heads: Int, random: RandomSource) {
    precondition(width % heads == 0, "a width of \(width) in \(heads) heads")
    self.modulus = modulus
    self.width = width
    self.heads = heads
    let deviation = 1 / Double(width).squareRoot()
    func matrix(_ name: String, _ shape: [Int], _ deviation: Double) -> Tensor {
      normal(shape, deviation: deviation, random: random.stream(name))
    }
    embedding = matrix("embedding", [modulus + 1, width], deviation)
    positions = matrix("positions", [3, width], deviation)
    self.layers = (0..<layers).map { index in
      func part(_ name: String, _ shape: [Int]) -> Tensor { matrix("\(index).\(name)", shape, deviation) }
      return Layer(
        query: part("query", [width, width]), key: part("key", [width, width]), value: part("value", [width, width]),
        output: part("output", [width, width]), up: part("up", [width, 4 * width]), upBias: .zeros([4 * width]),
        down: part("down", [4 * width, width]), downBias: .zeros([width]))
    }
    unembedding = matrix("unembedding", [width, modulus + 1], 1 / Double(modulus + 1).squareRoot())
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("embedding", &embedding)
    body("positions", &positions)
    for index in layers.indices {
      body("\(index).query", &layers[index].query)
      body("\(index).key", &layers[index].key)
      body("\(index).value", &layers[index].value)
      body("\(index).output", &layers[index].output)
      body("\(index).up", &layers[index].up)
      body("\(index).up_bias", &layers[index].upBias)
      body("\(index).down", &layers[index].down)
      body("\(index).down_bias", &layers[index].downBias)
    }
    body("unembedding", &unembedding)
  }

  /// Logits `[pairs, modulus + 1]` at "=".
  func logits(_ pairs: [(a: Int, b: Int, answer: Int)]) -> Tensor {
    let p = modulus
    // Before the first attention a position knows its token alone: 2 p + 1 rows are all there are.
    let first = embedding.rows(0..<p) + positions.rows(0..<1)
    let second = embedding.rows(0..<p) + positions.rows(1..<2)
    let last = embedding.rows(p..<p + 1) + positions.rows(2..<3)
    let distinct = concatenated([first, second, last])  // [2 p + 1, width]
    let places = [pairs.map(\.a), pairs.map { p + $0.b }, pairs.map { _ in 2 * p }]
    var rows = [distinct, distinct, distinct]  // what each position's row is taken from
    var current = places
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let same = index == 0
      // Keys and values once for rows that positions share.
      let keys = project(rows, layer.key, shared: same), values = project(rows, layer.value, shared: same)
      var next: [Tensor] = []
      for query in 0..<3 where !isLast || query == 2 {
        let own = same && query == 2 ? rows[2].rows(2 * p..<2 * p + 1) : rows[query]
        let q = matmul(own, layer.query)
        let mixed = attend(
          query: q, places: q.shape[0] == 1 ? nil : current[query],
          keys: (0...query).map { keys[$0] }, values: (0...query).map { values[$0] },
          at: (0...query).map { current[$0] })
        // The residual of a row that all pairs share is broadcast.
        let residual = q.shape[0] == 1 ? own : own.gatherRows(current[query])
        let y = residual + matmul(mixed, layer.output)
        let hidden = relu(matmul(y, layer.up) + layer.upBias)
        next.append(y + matmul(hidden, layer.down) + layer.downBias)
      }
      if isLast { return matmul(next[0], unembedding) }
      rows = next
      current = [[Int]](repeating: Array(pairs.indices), count: 3)
    }
    preconditionFailure("a model without layers")  // safe: init
  }

  private func project(_ rows: [Tensor], _ matrix: Tensor, shared: Bool) -> [Tensor] {
    if shared {
      let all = matmul(rows[0], matrix)
      return [all, all, all]
    }
    return rows.map { matmul($0, matrix) }
  }

  /// Softmax attention of one query position over a few key positions: `[pairs, width]`.
  ///
  /// Where all pairs share the query, `exp(score)` belongs to a key's row alone and is worked out once a row.
  private func attend(
    query: Tensor, places: [Int]?, keys: [Tensor], values: [Tensor], at current: [[Int]]
  ) -> Tensor {
    let size = width / heads, scale = 1 / Double(size).squareRoot()
    func perHead(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], heads, size]) }
    if places == nil {
      let q = perHead(query)
      let scores = keys.map { (perHead($0) * q).sum(axes: [2], keepingAxes: true) * scale }  // [rows, heads, 1]
      let peak = scores.map { $0.values.max() ?? 0 }.max() ?? 0
      var total: Tensor?, sum: Tensor?
      for (index, score) in scores.enumerated() {
        let weight = exp(score - Double(peak))
        let share = weight.gatherRows(current[index])
        let part = (weight * perHead(values[index])).gatherRows(current[index])
        total = total.map { $0 + share } ?? share
        sum = sum.map { $0 + part } ?? part
      }
      guard let total, let sum else { preconditionFailure("attention over nothing") }  // safe: a key a query
      return (sum / total).reshaped([current[0].count, width])
    }
    let q = perHead(query.gatherRows(places ?? []))
    let scores = zip(keys, current).map { key, place in
      (perHead(key.gatherRows(place)) * q).sum(axes: [2], keepingAxes: true) * scale
    }
    let weights = softmax(concatenated(scores, axis: 2))  // [pairs, heads, keys]
    var sum: Tensor?
    for (index, value) in values.enumerated() {
      let part = weights.slice(axis: 2, index..<index + 1) * perHead(value.gatherRows(current[index]))
      sum = sum.map { $0 + part } ?? part
    }
    guard let sum else { preconditionFailure("attention over nothing") }  // safe: a key a query
    return sum.reshaped([current[0].count, width])
  }
}
