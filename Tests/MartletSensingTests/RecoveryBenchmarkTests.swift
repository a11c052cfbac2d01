import Foundation
import MartletData
import MartletSensing
import Testing

struct RecoveryBenchmarkTests {
  /// Smooth images of 12x12 pixels.
  private func images(_ count: Int) throws -> [(name: String, image: Image)] {
    try (0..<count).map { index in
      let values = (0..<144).map { place -> Float in
        let (y, x) = (Float(place / 12), Float(place % 12))
        return 0.5 + 0.4 * sin(x / Float(2 + index)) * cos(y / Float(3 + index))
      }
      return ("image \(index)", try Image(height: 12, width: 12, values: values))
    }
  }

  @Test func moreMeasurementsAndLessNoiseComeCloser() throws {
    let benchmark = try RecoveryBenchmark("smooth", images: images(3), shownImages: 2)
    func error(_ count: Int, _ noise: Double) throws -> Double {
      let outcome = try benchmark.run(
        ReconstructionSettings(.totalVariation), named: "tv",
        measuredBy: OperatorDescription(.cosine, measurementCount: count, seed: 1), noise: noise)
      #expect(outcome.rows.count == 3 && outcome.pictures.count == 2)
      #expect(outcome.pictures.allSatisfy { $0.measurements.count == count && $0.recovered.count == 144 })
      #expect(outcome.rows.allSatisfy { $0.conditions.ratio == Double(count) / 144 && ($0.values[.ssim] ?? 2) <= 1 })
      return outcome.rows.reduce(0) { $0 + ($1.values[.l2] ?? .nan) }
    }
    let (few, many, noisy) = (try error(20, 0), try error(100, 0), try error(100, 0.3))
    #expect(many < few && many < noisy)
  }

  @Test func everyImageIsJudgedByItself() throws {
    let benchmark = try RecoveryBenchmark("smooth", images: images(2))
    let rows = try benchmark.run(
      ReconstructionSettings(.totalVariation), named: "tv",
      measuredBy: OperatorDescription(.cosine, measurementCount: 144, seed: 3)
    ).rows
    // As many measurements as pixels give the image back.
    for row in rows {
      #expect((row.values[.psnr] ?? 0) > 60 && (row.values[.ssim] ?? 0) > 0.999, "\(row)")
      let (l2, mse) = (row.values[.l2] ?? .nan, row.values[.mse] ?? .nan)
      #expect(abs(l2 - 2 * (mse * 144).squareRoot()) < 1e-12)
    }
    #expect(rows.map(\.image) == ["image 0", "image 1"])
  }

  @Test func modelsRecoverFromTheirOwnMeasurements() throws {
    let benchmark = try RecoveryBenchmark("smooth", images: images(3))
    var settings = RecoverySettings()
    (settings.height, settings.width, settings.measurements, settings.hidden, settings.latents) = (12, 12, 9, 8, 4)
    for method in RecoverySettings.Method.allCases {
      settings.method = method
      settings.measurement = method == .csgm ? .random : .linear
      (settings.searchSteps, settings.restarts) = (12, 2)
      let model = try RecoveryModel(settings)
      let rows = try benchmark.run(model, settings: settings, named: method.rawValue, noise: 0.1).rows
      #expect(
        rows.count == 3 && rows.allSatisfy { $0.conditions.learnsFromImages && $0.values[.psnr]?.isFinite == true })
    }
    settings.width = 11
    let wrong = try RecoveryModel(settings)
    #expect(throws: SensingError.self) { try benchmark.run(wrong, settings: settings, named: "wrong") }
  }

  @Test func imagesOfDifferentSizesAreRefused() throws {
    let small = try Image(height: 2, width: 2, values: [0, 0, 0, 0])
    #expect(throws: SensingError.self) { try RecoveryBenchmark("mixed", images: images(1) + [("small", small)]) }
    #expect(throws: SensingError.self) { try RecoveryBenchmark("none", images: []) }
  }

  @Test func colourIsMadeGrey() throws {
    let green = try Image(height: 1, width: 1, channels: 3, values: [0, 1, 0])
    #expect(abs(green.luminance[0] - 0.587) < 1e-12)
  }
}
