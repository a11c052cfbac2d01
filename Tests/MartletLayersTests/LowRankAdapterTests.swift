import MartletLayers
import MartletTensor
import Testing

struct LowRankAdapterTests {
  /// Layers that share an input, beside one without an adapter; from one row to more than a group of the kernels.
  @Test(arguments: [1, 5, 64]) func aPreparedAdapterGivesTheSame(rows: Int) throws {
    let random = RandomSource(seed: 7)
    func layer(_ outputs: Int, rank: Int?, bias: Bool = false) -> Linear {
      let weight = uniform([outputs, 45], from: -1, to: 1, random: random)
      var linear = Linear(
        weight: PackedMatrix(weight, format: .f32),
        bias: bias ? uniform([outputs], from: -1, to: 1, random: random) : nil)
      linear.wrapper = rank.map { rank in
        LowRankAdapter(
          a: uniform([rank, 45], from: -1, to: 1, random: random),
          b: uniform([outputs, rank], from: -1, to: 1, random: random), scale: 1.7)
      }
      return linear
    }
    let layers = [layer(33, rank: 5), layer(7, rank: nil), layer(16, rank: 18, bias: true)]
    var prepared = layers
    for index in prepared.indices { prepared[index].prepareForInference() }
    let x = uniform([rows, 45], from: -1, to: 1, random: random)
    for (expected, result) in zip(Linear.together(layers, x), Linear.together(prepared, x)) {
      #expect(zip(expected.values, result.values).allSatisfy { abs($0 - $1) < 1e-4 })
      #expect(expected.values != [Float](repeating: 0, count: expected.count))
    }
    // A new matrix counts at once.
    var adapter = try #require(prepared[0].wrapper as? LowRankAdapter)
    adapter.b = .zeros([33, 5])
    prepared[0].wrapper = adapter
    var plain = layers[0]
    plain.wrapper = nil
    #expect(prepared[0](x).values == plain(x).values)
  }
}
