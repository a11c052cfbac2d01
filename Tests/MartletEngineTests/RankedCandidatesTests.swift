import Foundation
import Testing

@testable import MartletEngine

struct RankedCandidatesTests {
  @Test(arguments: [0.01, 0.7, 1, 30] as [Float]) func orderIsThatOfAWholeSort(temperature: Float) throws {
    var random = RandomStream(seed: 4)
    // Ties, tokens that may not be drawn, and logits of every distance from the top.
    let row = (0..<5_000).map { index -> Float in
      if index % 7 == 0 { return -.infinity }
      let logit = Float(random.uniform() * 40 - 20)
      return index % 3 == 0 ? logit.rounded() : logit
    }
    let greatest = try #require(row.indices.max { (row[$0], $1) < (row[$1], $0) })
    let ranked = RankedCandidates(row, greatest: row[greatest], temperature: temperature)
    let expected = row.indices.filter { row[$0] >= row[greatest] - 88 * temperature }.sorted {
      (row[$0], $1) > (row[$1], $0)
    }
    #expect(Array(ranked).map(\.token) == expected)
    let weights = expected.map { exp(Double(row[$0] - row[greatest]) / Double(temperature)) }
    let sum = weights.reduce(0, +)
    #expect(zip(ranked, weights).allSatisfy { abs(Double($0.probability) - $1 / sum) < 1e-6 })
    #expect(abs(ranked.total - 1) < 1e-5)
  }
}
