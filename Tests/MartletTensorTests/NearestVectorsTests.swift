import MartletTestSupport
import Testing

@testable import MartletTensor

struct NearestVectorsTests {
  @Test(arguments: [VectorTable.Element.int8, .float16]) func rowsAreKept(element: VectorTable.Element) {
    var table = VectorTable(width: 100, element: element)
    let rows = (0..<600).map { TestData.noise(100, seed: UInt64($0 + 1)) }
    for row in rows { table.append(table.encoded(row)) }
    #expect(table.count == 600 && table.encoded(rows[0]).count == table.rowByteCount)
    let tolerance: Float = element == .int8 ? 1 / 250 : 1 / 2000
    for index in [0, 255, 256, 599] {
      #expect(TestData.largestDifference(table.vector(index), rows[index]) < tolerance)
    }
    // Copies that go on apart do not see each other.
    var twin = table
    twin.append(twin.encoded(rows[0]))
    table.append(table.encoded(rows[1]))
    #expect(TestData.largestDifference(twin.vector(600), rows[0]) < tolerance)
    #expect(TestData.largestDifference(table.vector(600), rows[1]) < tolerance)
  }

  /// The sketch never loses the nearest row, whatever the vectors' shape: against measuring them all.
  @Test func theNearestIsNeverLost() {
    for (seed, width, spread) in [(1, 64, 0.0), (2, 200, 0.9), (3, 33, 0.5), (4, 8, 0.2)] {
      var table = VectorTable(width: width, element: .float16)
      for row in 0..<700 {
        let noise = TestData.noise(width, seed: UInt64(seed * 1000 + row))
        // Few directions carry most of the length, and some rows lie far out.
        table.append(
          table.encoded(
            noise.enumerated().map { i, x in
              x * Float(spread > 0 ? 1 / (1 + spread * Double(i)) : 1) * (row % 97 == 0 ? 40 : 1) + (i == 0 ? 5 : 0)
            }))
      }
      let index = NearestVectors(table)
      var found = 0
      for query in 0..<120 {
        var vector = query % 3 == 0 ? TestData.noise(width, seed: UInt64(query + 77)) : table.vector(query * 5)
        if query % 3 == 1 { vector[query % width] += 0.3 }
        let radius: Float = [0.2, 1, 6][query % 3]
        var best: (row: Int, distance: Float)?
        for row in 0..<table.count {
          let distance = table.distance(row, to: vector)
          if distance <= radius, distance <= best?.distance ?? .infinity { best = (row, distance) }
        }
        let result = index.nearest(to: vector, within: radius)
        #expect(result?.row == best?.row && result?.distance == best?.distance)
        found += best == nil ? 0 : 1
      }
      #expect(found > 30, "the queries of case \(seed) find too little to say anything")
    }
  }

  @Test func rowsAreReplaced() {
    let x = Tensor(TestData.noise(12), shape: [4, 3]), values = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    let y = x.replacingRows([2, 0], with: values)
    let given = x.values
    #expect(y.values == [4, 5, 6] + Array(given[3..<6]) + [1, 2, 3] + Array(given[9..<12]))
    let weight = Tensor(TestData.noise(12, seed: 3), shape: [4, 3])
    let (_, gradients) = valueAndGradient(at: [x, values]) {
      ($0[0].replacingRows([2, 0], with: $0[1]) * weight).sum()
    }
    let w = weight.values, none: [Float] = [0, 0, 0]
    let expected: [Float] = none + Array(w[3..<6]) + none + Array(w[9..<12])
    #expect(gradients[0].values == expected)
    #expect(gradients[1].values == Array(w[6..<9]) + Array(w[0..<3]))
  }

  /// Attention behind a prefix gives the last rows of attention over everything, and its gradients.
  @Test func attentionBehindAPrefix() {
    let rows = 7, before = 4, (heads, keyHeads, size) = (4, 2, 3)
    let query = Tensor(TestData.noise(rows * heads * size, seed: 2), shape: [rows, heads * size])
    let key = Tensor(TestData.noise(rows * keyHeads * size, seed: 3), shape: [rows, keyHeads * size])
    let value = Tensor(TestData.noise(rows * keyHeads * size, seed: 4), shape: [rows, keyHeads * size])
    let last = before..<rows
    let whole = attention(
      query: query, key: key, value: value, heads: heads, keyValueHeads: keyHeads, spans: [0..<rows])
    let part = attention(
      query: query.rows(last), key: key.rows(last), value: value.rows(last), heads: heads, keyValueHeads: keyHeads,
      spans: [0..<3], prefix: [(key.rows(0..<before), value.rows(0..<before))])
    #expect(TestData.largestDifference(part.values, whole.rows(last).values) < 1e-6)
    func loss(_ query: Tensor, _ key: Tensor, _ value: Tensor, isPart: Bool) -> Tensor {
      isPart
        ? attention(
          query: query.rows(last), key: key.rows(last), value: value.rows(last), heads: heads, keyValueHeads: keyHeads,
          spans: [0..<3], prefix: [(key.rows(0..<before), value.rows(0..<before))]
        ).squared.sum()
        : attention(query: query, key: key, value: value, heads: heads, keyValueHeads: keyHeads, spans: [0..<rows])
          .rows(last).squared.sum()
    }
    let a = valueAndGradient(at: [query, key, value]) { loss($0[0], $0[1], $0[2], isPart: true) }.gradients
    let b = valueAndGradient(at: [query, key, value]) { loss($0[0], $0[1], $0[2], isPart: false) }.gradients
    for (x, y) in zip(a, b) { #expect(TestData.largestDifference(x.values, y.values) < 1e-5) }
  }
}
