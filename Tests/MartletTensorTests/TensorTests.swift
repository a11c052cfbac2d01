import MartletLayers
import MartletTestSupport
import Testing
@testable import MartletTensor

struct TensorTests {
  @Test func viewsShareAndCopiesDoNot() {
    let x = Tensor((0..<12).map(Float.init), shape: [3, 4])
    #expect(x.rows(1..<3).values == (4..<12).map(Float.init))
    #expect(x.transposed().shape == [4, 3])
    #expect(x.transposed().values == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    #expect(x.transposed().transposed().isContiguous)
    #expect(x.reshaped([2, 6]).rows(1..<2).values == (6..<12).map(Float.init))
    #expect(x.rows(1..<2).storage === x.storage)
  }

  @Test func arithmetic() {
    let a = Tensor([1, 2, 3, 4], shape: [2, 2]), b = Tensor([10, 20, 30, 40], shape: [2, 2])
    #expect((a + b).values == [11, 22, 33, 44])
    #expect((a * b).values == [10, 40, 90, 160])
    #expect((a * 2).values == [2, 4, 6, 8])
    #expect(a.adding(bias: Tensor([5, 6])).values == [6, 8, 8, 10])
    #expect(a.gatherRows([1, 1, 0]).values == [3, 4, 3, 4, 1, 2])
    #expect(lerp(a, b, mix: Tensor([1, 0])).values == [1, 20, 3, 40])
  }

  @Test func largeTensorsGiveTheSameAsSmallOnes() {
    // Above the grain the work is split between threads.
    let values = TestData.noise(300 * 257)
    let x = Tensor(values, shape: [300, 257])
    let whole = silu(x).values
    for row in [0, 7, 150, 299] {
      #expect(silu(x.rows(row..<row + 1)).values == Array(whole[row * 257..<(row + 1) * 257]))
    }
  }

  @Test func linearLayersTogetherEqualOneByOne() {
    let x = Tensor(TestData.noise(5 * 96), shape: [5, 96])
    let layers = WeightFormat.allCases.map { format in
      Linear(
        weight: PackedMatrix(format: format, outputs: 70, inputs: 96) { row, values in
          for (k, value) in TestData.noise(96, seed: UInt64(row + 1)).enumerated() { values[k] = value }
        }, bias: Tensor(TestData.noise(70, seed: 99)))
    }
    for (layer, y) in zip(layers, Linear.together(layers, x)) {
      #expect(y.values == layer(x).values)
      #expect(y.shape == [5, 70])
    }
  }

  @Test func roundingToHalfTypes() {
    let x = Tensor([1, 1.0 / 3, -65504, 1e-8])
    #expect(x.rounded(to: .float16).values == [1, Float(Float16(1.0 / 3)), -65504, 0])
    #expect(x.rounded(to: .bfloat16).values[1] == Float(bitPattern: (Float(1.0 / 3).bitPattern + 0x8000) & 0xffff_0000))
  }

  @Test func aCacheForksWithoutSharingWhatChanges() {
    let layout = KeyValueCache.Layout(layers: 1, heads: 1, headSize: 16, half: false)
    let original = KeyValueCache(layout: layout)
    func extend(_ cache: KeyValueCache, _ count: Int, seed: UInt64) -> [Float] {
      cache.reserve(count)
      let x = Tensor(TestData.noise(count * 16, seed: seed), shape: [count, 16])
      let y = attention(query: x, key: x, value: x, heads: 1, layer: 0, spans: [0..<count], caches: [cache])
      cache.advance(count)
      return y.values
    }
    _ = extend(original, 70, seed: 1)
    let fork = original.copy()
    let first = extend(fork, 10, seed: 2)
    _ = extend(original, 10, seed: 3)
    let again = original.prefix(70)
    #expect(extend(again, 10, seed: 2) == first)
  }

  /// Layers of one cache may differ in their heads, and do not touch each other's.
  @Test(arguments: [false, true]) func layersOfACacheMayDiffer(half: Bool) {
    typealias Layout = KeyValueCache.Layout
    let layers: [(heads: Int, headSize: Int)] = [(1, 16), (2, 24), (4, 12)]
    func run(_ cache: KeyValueCache, layer: Int, _ kind: (heads: Int, headSize: Int), seed: UInt64) -> [Float] {
      let width = kind.heads * kind.headSize
      let x = Tensor(TestData.noise(70 * width, seed: seed), shape: [70, width])
      return attention(query: x, key: x, value: x, heads: kind.heads, layer: layer, spans: [0..<70], caches: [cache])
        .values
    }
    let mixed = KeyValueCache(
      layout: Layout(layers.map { Layout.Layer(heads: $0.heads, headSize: $0.headSize) }, half: half))
    mixed.reserve(70)
    for (layer, kind) in layers.enumerated() {
      let alone = KeyValueCache(
        layout: Layout(layers: 1, heads: kind.heads, headSize: kind.headSize, half: half))
      alone.reserve(70)
      #expect(
        run(mixed, layer: layer, kind, seed: UInt64(layer)) == run(alone, layer: 0, kind, seed: UInt64(layer)))
    }
  }
}
