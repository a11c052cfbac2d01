import Foundation
import MartletDevice
import MartletTestSupport
import Testing

@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct LikeliestTests {
  private static let rowWords = 8 + 2 * 256

  /// Runs the shader over rows of logits, and checks each row against double precision and a sort.
  private func check(_ bench: Bench, _ rows: [[Float]], scales: [Float], threads: Int, _ place: Comment) throws {
    let vocabulary = rows[0].count
    let logits = try bench.put(rows.flatMap { $0 }), given = try bench.put(scales)
    let found = try bench.blank(rows.count * Self.rowWords)
    try bench.device.perform([
      Command(
        Shader("likeliest", [UInt32(threads)]), Arguments().addresses(logits, given, found).numbers(vocabulary),
        groups: (rows.count, 1, 1), reads: [.memory(logits), .memory(given)], writes: [.memory(found)])
    ])
    let words = try bench.device.download(found, as: UInt32.self)
    for (index, row) in rows.enumerated() {
      let got = Array(words[index * Self.rowWords..<(index + 1) * Self.rowWords])
      let finite = row.filter(\.isFinite)
      let greatest = try #require(finite.max(), place)
      #expect(Float(bitPattern: got[0]) == greatest, place)
      #expect(got[3] == UInt32(row.count - finite.count), place)
      guard finite.count == row.count else { continue }
      for (sum, scale) in [(got[1], 1), (got[2], Double(scales[index]))] {
        let wanted = row.reduce(0.0) { $0 + exp((Double($1) - Double(greatest)) * scale) }
        #expect(abs(Double(Float(bitPattern: sum)) - wanted) <= 1e-5 * wanted, place)
      }
      let order = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }
      // Those above the 257th, without those that are as likely as it.
      let threshold = order.count > 256 ? row[order[256]] : -.infinity
      let wanted = order.prefix { row[$0] > threshold }
      let count = Int(got[4])
      #expect(count == wanted.count, place)
      let pairs = (0..<min(count, 256)).map { (Int(got[8 + 2 * $0]), got[9 + 2 * $0]) }
      #expect(Set(pairs.map(\.0)) == Set(wanted), place)
      #expect(pairs.allSatisfy { row.indices.contains($0.0) && row[$0.0].bitPattern == $0.1 }, place)
    }
    #expect(try bench.arena.isIntact())
  }

  @Test func likeliestTokensAndSumsOfRandomRows() throws {
    let bench = try Bench()
    for (threads, spread) in [(256, Float(1)), (512, 30), (1024, 8)] {
      for vocabulary in [1, 7, 64, 255, 256, 257, 258, 1000, 5003] {
        var noise = Noise(UInt64(vocabulary))
        let rows = (0..<4).map { _ in noise.floats(vocabulary).map { $0 * spread } }
        try check(
          bench, rows, scales: [1, 1.25, 0.5, 20], threads: threads, "\(vocabulary) tokens, \(threads) threads")
      }
    }
  }

  @Test func equalExtremeAndStrangeLogits() throws {
    let bench = try Bench(), count = 3000
    var noise = Noise(5)
    func row(_ value: (Int) -> Float) -> [Float] { (0..<count).map(value) }
    let rows = [
      row { _ in 1.5 },  // none is above the others
      row { $0 < 200 ? 9 : 1 },
      row { $0 < 300 ? 9 : 1 },
      row { Float($0 % 7) },
      row { $0 % 2 == 0 ? -0.0 : 0.0 },  // one logit
      row { $0 < 100 ? 0.0 : $0 < 300 ? -0.0 : -1 },
      row { $0 == 77 ? 3e38 : -3e38 },
      row { Float($0) * 1e-42 },  // denormal
      row { $0 == 2999 ? .nan : noise.next() },
      row { $0 == 0 ? .infinity : $0 == 1 ? -.infinity : noise.next() },
    ]
    for (index, row) in rows.enumerated() {
      try check(bench, [row], scales: [0.8], threads: 1024, "row \(index)")
    }
  }
}
