import Foundation
import CMartletKernels
import MartletTestSupport
import Testing

/// Row-wise kernels of every table against double precision, at odd sizes.
struct RowKernelTests {
  private func forEveryTable(_ body: (String) -> Void) {
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
      body(String(cString: martlet_simd_name(martlet_simd(simd))))
    }
  }

  private func expectClose(_ y: [Float], _ truth: [Double], _ tolerance: Double, _ what: String) {
    let worst = zip(y, truth).map { abs(Double($0) - $1) / max(1, abs($1)) }.max() ?? 0
    #expect(worst <= tolerance && y.count == truth.count, "\(what): off by \(worst)")
  }

  @Test func elementwise() {
    for count in [1, 7, 16, 33, 511] {
      let a = TestData.noise(count, seed: 3).map { $0 * 20 }, b = TestData.noise(count, seed: 4)
      func silu(_ x: Float) -> Double { Double(x) / (1 + exp(-Double(x))) }
      forEveryTable { table in
        var y = [Float](repeating: 0, count: count)
        martlet_silu(a, &y, Int64(count))
        expectClose(y, a.map(silu), 1e-6, "silu \(table)")
        martlet_sigmoid(a, &y, Int64(count))
        expectClose(y, a.map { 1 / (1 + exp(-Double($0))) }, 1e-6, "sigmoid \(table)")
        martlet_silu_multiply(a, b, &y, Int64(count))
        expectClose(y, zip(a.map(silu), b).map { $0 * Double($1) }, 1e-6, "gate \(table)")
        martlet_relu_squared(a, &y, Int64(count))
        expectClose(y, a.map { pow(max(0, Double($0)), 2) }, 1e-6, "relu squared \(table)")
        martlet_add(a, b, &y, Int64(count))
        expectClose(y, zip(a, b).map { Double($0) + Double($1) }, 1e-6, "add \(table)")
      }
    }
  }

  @Test func extremesStayFinite() {
    let x: [Float] = [-1000, -88, -87.2, 0, 87, 88.6, 1000]
    forEveryTable { table in
      var y = [Float](repeating: 0, count: x.count)
      martlet_sigmoid(x, &y, Int64(x.count))
      #expect(y.allSatisfy { $0 >= 0 && $0 <= 1 }, "sigmoid \(table): \(y)")
      martlet_silu(x, &y, Int64(x.count))
      #expect(y.allSatisfy { $0.isFinite }, "silu \(table): \(y)")
      var row: [Float] = [-Float.infinity, 3, 3, -2000]
      martlet_softmax(&row, 1, 4)
      #expect(row[0] == 0 && row[3] == 0 && abs(row[1] - 0.5) < 1e-6, "softmax \(table): \(row)")
    }
  }

  @Test func norms() {
    for (rows, columns, groups) in [(3, 48, 3), (1, 5, 1), (2, 72, 9), (2, 130, 2)] {
      let x = TestData.noise(rows * columns, seed: 8).map { $0 + 2 }
      let w = TestData.noise(columns, seed: 9), b = TestData.noise(columns, seed: 10)
      var grouped: [Double] = [], rms: [Double] = []
      let size = columns / groups
      for row in 0..<rows {
        let values = (0..<columns).map { Double(x[row * columns + $0]) }
        let square = values.map { $0 * $0 }.reduce(0, +) / Double(columns)
        rms += values.indices.map { values[$0] / (square + 1e-5).squareRoot() * Double(w[$0]) }
        for group in 0..<groups {
          let part = values[group * size..<(group + 1) * size]
          let mean = part.reduce(0, +) / Double(size)
          let variance = part.map { pow($0 - mean, 2) }.reduce(0, +) / Double(size)
          grouped += part.indices.map {
            (values[$0] - mean) / (variance + 64e-5).squareRoot() * Double(w[$0]) + Double(b[$0])
          }
        }
      }
      forEveryTable { table in
        var y = [Float](repeating: 0, count: x.count)
        martlet_group_norm(x, w, b, &y, Int64(rows), Int64(columns), Int64(groups), 64e-5)
        expectClose(y, grouped, 2e-5, "group norm \(table)")
        martlet_rms_norm(x, w, &y, Int64(rows), Int64(columns), 1e-5)
        expectClose(y, rms, 2e-6, "rms norm \(table)")
      }
    }
  }

  @Test func argmaxTakesTheFirstOfEquals() {
    forEveryTable { table in
      for count in [1, 15, 16, 40] {
        var x = [Float](repeating: -3, count: count)
        x[count / 2] = 1
        x[count - 1] = 1
        #expect(martlet_argmax(x, Int64(count)) == Int64(count / 2), "argmax \(table)")
      }
    }
  }

  @Test func rotaryTurnsPairs() {
    let x = TestData.noise(2 * 16, seed: 2)
    let angles: [Double] = [0.3, 1.1, -0.4, 2]
    let c = angles.map { Float(cos($0)) }, s = angles.map { Float(sin($0)) }
    forEveryTable { table in
      for interleaved in [true, false] {
        var y = x
        martlet_rotary(&y, c, s, 1, 4, 8, 4, interleaved)
        var truth = x.map(Double.init)
        for head in 0..<4 {
          for i in 0..<4 {
            let p = head * 8 + (interleaved ? 2 * i : i), q = interleaved ? p + 1 : p + 4
            (truth[p], truth[q]) = (
              Double(x[p]) * cos(angles[i]) - Double(x[q]) * sin(angles[i]),
              Double(x[p]) * sin(angles[i]) + Double(x[q]) * cos(angles[i])
            )
          }
        }
        expectClose(y, truth, 1e-6, "rotary \(table)")
      }
    }
  }

  @Test(arguments: [8, 16, 20, 32, 64]) func recurrence(size: Int) {
    let rows = 7
    let r = TestData.noise(rows * size, seed: 1), k = TestData.noise(rows * size, seed: 2),
      v = TestData.noise(rows * size, seed: 3)
    let w = TestData.noise(size, seed: 4).map { 0.5 + $0 / 2 }, u = TestData.noise(size, seed: 5)
    var s = TestData.noise(size * size, seed: 6).map(Double.init), truth: [Double] = []
    for t in 0..<rows {
      for j in 0..<size {
        truth.append(
          (0..<size).reduce(0) { sum, i in
            let kv = Double(k[t * size + i]) * Double(v[t * size + j])
            return sum + Double(r[t * size + i]) * (Double(u[i]) * kv + s[i * size + j])
          })
      }
      for i in 0..<size {
        for j in 0..<size {
          s[i * size + j] = Double(w[i]) * s[i * size + j] + Double(k[t * size + i]) * Double(v[t * size + j])
        }
      }
    }
    forEveryTable { table in
      var y = [Float](repeating: 0, count: rows * size), state = TestData.noise(size * size, seed: 6)
      martlet_wkv5(r, k, v, w, u, &y, &state, Int64(rows), Int64(size), Int64(size))
      expectClose(y, truth, 1e-5, "wkv5 \(table)")
      expectClose(state, s, 1e-5, "wkv5 state \(table)")
    }
  }

  /// Against double precision; and a query alone has the bits that it has among others.
  @Test(
    arguments: [MARTLET_CACHE_F32.rawValue, MARTLET_CACHE_F16.rawValue],
    [(32, 11), (64, 1), (80, 3), (128, 4), (16, 21)])
  func attention(type: UInt32, shape: (size: Int, queries: Int)) {
    let (size, queries) = shape, positions = 150
    let half = type == MARTLET_CACHE_F16.rawValue
    let keys = TestData.noise(positions * size, seed: 1), values = TestData.noise(positions * size, seed: 2)
    let query = TestData.noise(queries * size, seed: 3).map { $0 * 3 }
    let limits = (0..<queries).map { Int64(positions - queries + 1 + $0) }
    var truth: [Double] = []
    for q in 0..<queries {
      let scores = (0..<Int(limits[q])).map { p in
        (0..<size).reduce(0.0) { $0 + Double(query[q * size + $1]) * Double(keys[p * size + $1]) } * 0.2
      }
      let top = scores.max()!
      let weights = scores.map { exp($0 - top) }
      let total = weights.reduce(0, +)
      for i in 0..<size {
        truth.append(weights.indices.reduce(0.0) { $0 + weights[$1] / total * Double(values[$1 * size + i]) })
      }
    }
    forEveryTable { table in
      let pageBytes = 2 * Int(MARTLET_PAGE) * size * (half ? 2 : 4)
      let pages = (0..<3).map { _ in UnsafeMutableRawPointer.allocate(byteCount: pageBytes, alignment: 64) }
      defer { pages.forEach { $0.deallocate() } }
      pages.forEach { memset($0, 0, pageBytes) }
      keys.withUnsafeBufferPointer { k in
        values.withUnsafeBufferPointer { v in
          for p in 0..<positions {
            martlet_cache_store(
              martlet_cache_type(type), pages[p / 64], Int64(p % 64), k.baseAddress! + p * size,
              v.baseAddress! + p * size,
              Int64(size))
          }
        }
      }
      func attended(_ range: Range<Int>) -> [Float] {
        var y = [Float](repeating: .nan, count: range.count * size)
        query.withUnsafeBufferPointer { q in
          y.withUnsafeMutableBufferPointer { out in
            let sources = range.map { Optional(q.baseAddress! + $0 * size) }
            let targets = range.indices.map { Optional(out.baseAddress! + ($0 - range.lowerBound) * size) }
            let list = pages.map { Optional(UnsafeRawPointer($0)) }
            martlet_attention(
              martlet_cache_type(type), sources, targets, Array(limits[range]), Int64(range.count), list, 0,
              Int64(size), 0.2)
          }
        }
        return y
      }
      let y = attended(0..<queries)
      expectClose(y, truth, half ? 2e-3 : 1e-5, "attention \(table), \(queries) queries of \(size)")
      for q in 0..<queries {
        #expect(attended(q..<q + 1) == Array(y[q * size..<(q + 1) * size]), "\(table): query \(q) of \(queries)")
      }
    }
  }
}
