import MartletTensor
import Testing

struct RandomSourceTests {
  /// The known answers of Random123 for Philox 4x32-10.
  @Test func philoxKnownAnswers() {
    #expect(RandomSource(seed: 0).bits(0) == 0xe169_c58d_6627_e8d5)
    #expect(RandomSource(seed: 0).bits(1) == 0x9b00_dbd8_bc57_ac4c)
  }

  @Test func streamsAreIndependentOfThreads() {
    let source = RandomSource(seed: 5).stream("weights")
    let before = Parallel.width
    defer { Parallel.width = before }
    Parallel.width = 1
    let one = normal([100, 300], random: source).values
    Parallel.width = 4
    #expect(normal([100, 300], random: source).values == one)
    #expect(normal([100, 300], random: RandomSource(seed: 5).stream("other")).values != one)
  }

  @Test func momentsAndOrder() {
    let values = normal([20_000], deviation: 2, random: RandomSource(seed: 1)).values
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean) < 0.06 && abs(variance - 4) < 0.15)
    let order = RandomSource(seed: 2).permutation(1000)
    #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
  }

  @Test func orthogonalMatrices() {
    for shape in [[8, 20], [20, 8], [16, 16]] {
      let q = orthogonal(shape, gain: 2, random: RandomSource(seed: 3))
      let product = shape[0] <= shape[1] ? matmul(q, q.transposed()) : matmul(q.transposed(), q)
      let n = min(shape[0], shape[1])
      for i in 0..<n {
        for j in 0..<n { #expect(abs(product.values[i * n + j] - (i == j ? 4 : 0)) < 1e-5) }
      }
    }
  }
}
