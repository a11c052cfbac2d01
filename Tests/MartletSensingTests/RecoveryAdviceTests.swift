import Foundation
import MartletData
import MartletSensing
import Testing

struct RecoveryAdviceTests {
  private func entry(
    _ method: String, _ measurements: Int, psnr: Double, width: Double = 0.5, learns: Bool = false, noise: Double = 0,
    images: String = "digits", pixels: Int = 784
  ) -> RecoveryTable.Entry {
    let estimate = { (mean: Double) in
      RecoveryTable.Estimate(
        mean: mean, lower: mean - width, upper: mean + width, seedLower: mean - 0.1, seedUpper: mean + 0.1)
    }
    return RecoveryTable.Entry(
      conditions: RecoveryConditions(
        images: images, method: method, learnsFromImages: learns, measuredBy: "gaussian", measurements: measurements,
        pixels: pixels, noise: noise),
      images: 10, seeds: 2,
      estimates: [
        .l2: estimate(5), .mse: estimate(0.1), .psnr: estimate(psnr), .ssim: estimate(0.5), .seconds: estimate(1),
      ])
  }

  private var table: RecoveryTable {
    RecoveryTable([
      entry("tv", 25, psnr: 12), entry("pca", 25, psnr: 17, learns: true),
      entry("regression", 25, psnr: 22, learns: true),
      entry("dcs", 25, psnr: 21.5, learns: true), entry("tv", 200, psnr: 29), entry("pca", 200, psnr: 28, learns: true),
      entry("tv", 25, psnr: 11, noise: 0.1),
    ])
  }

  @Test func theBestOfWhatCanBeUsedIsRecommended() throws {
    func best(_ ratio: Double, _ hasTraining: Bool) -> RecoveryAdvice.Choice? {
      RecoveryAdvice(.init(ratio: ratio, hasTraining: hasTraining), by: table).choices.first
    }
    #expect(best(0.03, true)?.best.conditions.method == "regression")
    #expect(best(0.03, true)?.undecided.map(\.conditions.method) == ["dcs"])
    #expect(best(0.03, false)?.best.conditions.method == "tv" && best(0.03, false)?.others.isEmpty == true)
    #expect(best(0.25, true)?.best.conditions.method == "tv")
  }

  @Test func whatTheTableDoesNotCoverIsSaid() {
    for question in [
      RecoveryAdvice.Question(ratio: 0.9), .init(ratio: 0.001), .init(ratio: 0.03, noise: 1),
      .init(ratio: 0.25, noise: 0.1),
    ] {
      let advice = RecoveryAdvice(question, by: table)
      #expect(advice.choices.isEmpty && advice.gaps.count == 1, "\(question)")
      #expect(advice.gaps.first?.contains("martlet sense bench IMAGES") == true)
    }
    #expect(RecoveryAdvice(.init(ratio: 0.03, noise: 0.15), by: table).choices.first?.best[.psnr] == 11)
  }

  @Test func imagesOfTheSameSizeComeFirst() {
    let both = RecoveryTable(table.entries + [entry("tv", 1600, psnr: 24, images: "photos", pixels: 65_536)])
    func sets(_ pixels: Int?) -> [String] {
      RecoveryAdvice(.init(ratio: 0.03, pixels: pixels), by: both).choices.map(\.best.conditions.images)
    }
    #expect(sets(nil) == ["digits", "photos"] && sets(784) == ["digits"] && sets(65_536) == ["photos"])
    #expect(sets(100) == ["digits", "photos"])
  }

  @Test func aTableIsReadAsItWasWritten() throws {
    let path = NSTemporaryDirectory() + "table-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = table.entries.map(\.json.text).joined(separator: "\n")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try RecoveryTable(path).entries == table.entries)
    let first = try #require(table.entries.first).json.text
    for (from, to) in [
      ("\"mean\":12", "\"mean\":\"12\""), ("\"count\":10", "\"count\":0"), ("\"pixels\":784", "\"pixels\":-1"),
      ("\"method\":\"tv\"", "\"method\":null"), ("\"noise\":0", "\"noise\":-1"),
    ] {
      #expect(first.contains(from), "\(from)")
      try first.replacing(from, with: to).write(toFile: path, atomically: true, encoding: .utf8)
      #expect(throws: FileError.self, "\(to)") { try RecoveryTable(path) }
    }
    try "\n".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: FileError.self) { try RecoveryTable(path) }
  }
}
