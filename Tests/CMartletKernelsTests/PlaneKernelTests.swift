import CMartletKernels
import Foundation
import MartletTestSupport
import Testing

/// Kernels of planes of every table against their definitions.
struct PlaneKernelTests {
  private func forEveryTable(_ body: (String) -> Void) {
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
      body(String(cString: martlet_simd_name(martlet_simd(simd))))
    }
  }

  private func noise(_ count: Int, seed: UInt64) -> [Double] { TestData.noise(count, seed: seed).map { Double($0) } }

  @Test func theCosineTransformOfColumnsIsItsDefinition() {
    for (rows, columns) in [(1, 3), (2, 8), (6, 5), (8, 17), (15, 9), (24, 8), (64, 11)] {
      var size = rows, factors: [Double] = []
      while size % 2 == 0 {
        let count = Double(size)
        factors += (0..<size / 2).map { (i: Int) -> Double in 0.5 / cos((Double(i) + 0.5) * Double.pi / count) }
        size /= 2
      }
      let odd = size
      let cosines = (0..<odd * odd).map { (place: Int) -> Double in
        let (k, i) = place.quotientAndRemainder(dividingBy: odd)
        return cos(Double(k) * (Double(i) + 0.5) * Double.pi / Double(odd))
      }
      let plane = noise(rows * columns, seed: 5)
      func weight(_ k: Int, _ i: Int) -> Double {
        (Double(k == 0 ? 1 : 2) / Double(rows)).squareRoot() * cos(Double(k) * (Double(i) + 0.5) * .pi / Double(rows))
      }
      forEveryTable { table in
        for isInverse in [false, true] {
          var space = [Double](repeating: 0, count: 16 * rows + 8),
            result = [Double](repeating: .nan, count: plane.count)
          martlet_cosine_columns(plane, Int64(rows), Int64(columns), isInverse, factors, cosines, &space, &result)
          var worst = 0.0
          for column in 0..<columns {
            for k in 0..<rows {
              let truth = (0..<rows).reduce(0.0) {
                $0 + (isInverse ? weight($1, k) : weight(k, $1)) * plane[$1 * columns + column]
              }
              worst = max(worst, abs(truth - result[column * rows + k]))
            }
          }
          #expect(worst < 1e-12, "\(table), \(rows) rows of \(columns), inverse \(isInverse): off by \(worst)")
        }
      }
    }
  }

  @Test func theStepsOfTotalVariationAreTheirDefinition() {
    for (height, width) in [(1, 1), (1, 9), (7, 1), (5, 8), (6, 9), (9, 23)] {
      let count = height * width, step = 0.7, relaxation = 1.9
      let plane = noise(count, seed: 6), down = noise(count, seed: 7), right = noise(count, seed: 8)
      var ascended = (down: down, right: right), descended = plane
      for row in 0..<height {
        for column in 0..<width {
          let index = row * width + column
          let d = row + 1 < height ? down[index] + step * (plane[index + width] - plane[index]) : 0
          let r = column + 1 < width ? right[index] + step * (plane[index + 1] - plane[index]) : 0
          let length = max(1, (d * d + r * r).squareRoot())
          ascended.down[index] += relaxation * (d / length - down[index])
          ascended.right[index] += relaxation * (r / length - right[index])
          let above = row > 0 ? down[index - width] : 0, left = column > 0 ? right[index - 1] : 0
          descended[index] += step * (down[index] + right[index] - above - left)
        }
      }
      func worst(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { abs($0 - $1) }.max() ?? .infinity }
      forEveryTable { table in
        var (d, r, x) = (down, right, plane)
        martlet_variation_descend(plane, d, r, step, Int64(height), Int64(width), &x)
        #expect(worst(x, descended) < 1e-14, "\(table), descent of \(height)x\(width)")
        var (moved, ahead, squares) = (plane, plane, [Double](repeating: .nan, count: 2))
        martlet_variation_advance(&moved, descended, &ahead, relaxation, Int64(count), &squares)
        let ways = zip(descended, plane).map { $0 - $1 }
        #expect(worst(moved, zip(plane, ways).map { $0 + relaxation * $1 }) < 1e-14, "\(table), \(count) moved")
        #expect(worst(ahead, zip(descended, ways).map { $0 + $1 }) < 1e-14, "\(table), \(count) beyond")
        #expect(worst(squares, [ways, descended].map { $0.reduce(0) { $0 + $1 * $1 } }) < 1e-11, "\(table), \(count)")
        martlet_variation_ascend(&d, &r, plane, step, relaxation, Int64(height), Int64(width))
        #expect(
          max(worst(d, ascended.down), worst(r, ascended.right)) < 1e-14, "\(table), ascent of \(height)x\(width)")
      }
    }
  }
}
