import MartletTensor
import MartletTestSupport
import Testing

struct MatrixProductTests {
  /// Products against double precision, for sizes on and off the tiles, in every order of the axes.
  @Test(arguments: [
    [1, 1, 1], [3, 5, 7], [16, 32, 16], [17, 33, 31], [64, 300, 100], [4096, 256, 896], [896, 4096, 256],
    [256, 896, 4096], [2, 4096, 2], [5, 64, 1000],
  ])
  func equalDoublePrecision(_ size: [Int]) {
    let (m, k, n) = (size[0], size[1], size[2])
    for (transposedA, transposedB) in [(false, false), (true, false), (false, true), (true, true)] {
      let a =
        transposedA
        ? Tensor(TestData.noise(k * m, seed: 3), shape: [k, m]).transposed()
        : Tensor(TestData.noise(m * k, seed: 3), shape: [m, k])
      let b =
        transposedB
        ? Tensor(TestData.noise(n * k, seed: 4), shape: [n, k]).transposed()
        : Tensor(TestData.noise(k * n, seed: 4), shape: [k, n])
      let rows = [0, m / 3, m - 1].sorted()
      let y = matmul(a, b)
      #expect(y.shape == [m, n])
      for row in rows {
        let exact = matmul(a.rows(row..<row + 1).cast(to: .float64), b.cast(to: .float64)).doubleValues
        let worst = zip(y.rows(row..<row + 1).doubleValues, exact).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 1e-5 * Double(k).squareRoot() * 3, "\(size) row \(row) \(transposedA) \(transposedB)")
      }
    }
  }

  @Test func broadcastsOverLeadingAxes() {
    let a = Tensor(TestData.noise(2 * 3 * 4 * 5), shape: [2, 3, 4, 5]),
      b = Tensor(TestData.noise(5 * 6), shape: [5, 6])
    let y = matmul(a, b)
    #expect(y.shape == [2, 3, 4, 6])
    let last = matmul(a.rows(1..<2).reshaped([3, 4, 5]).rows(2..<3).reshaped([4, 5]), b)
    #expect(Array(y.values.suffix(24)) == last.values)
  }

  @Test func bfloatProductsRoundTheirFactors() {
    let a = Tensor(TestData.noise(40 * 100, seed: 5), shape: [40, 100])
    let b = Tensor(TestData.noise(100 * 50, seed: 6), shape: [100, 50])
    let rounded = matmul(a.rounded(to: .bfloat16), b.rounded(to: .bfloat16)).values
    #expect(TestData.largestDifference(matmul(a, b, precision: .bf16).values, rounded) < 2e-5)
  }
}
