import MartletData
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct ReconstructionSettingsTests {
  /// Smooth planes of 16x16 pixels: sums of a few bumps.
  static func plane(_ number: Int) -> [Double] {
    let random = RandomSource(seed: 31).stream(number)
    return (0..<256).map { index in
      let (y, x) = (Double(index / 16) / 16, Double(index % 16) / 16)
      let (a, b) = (random.uniform(0), random.uniform(1))
      return 0.2 + 0.3 * a * x + 0.3 * b * y + (abs(x - a) < 0.25 && abs(y - b) < 0.25 ? 0.2 : 0)
    }
  }

  @Test(arguments: ReconstructionSettings.Method.allCases) func everyMethodRecovers(
    _ method: ReconstructionSettings.Method
  ) throws {
    let training = (0..<60).map(Self.plane), truth = Self.plane(1000)
    let measured = try RandomTransformOperator(.cosine, height: 16, width: 16, measurementCount: 128, seed: 2)
    for basis in method.hasBasis ? [SparseBasis.cosine, .haar, .db4] : [.pixel] {
      var settings = ReconstructionSettings(method)
      settings.basis = basis
      let solver = try settings.reconstruction(
        for: measured, height: 16, width: 16, training: method.usesTraining ? training : [])
      let found = try solver.reconstruct(measured.forward(truth), of: measured, height: 16, width: 16)
      let error = distance(found, truth) / dot(truth, truth).squareRoot()
      #expect(error < (basis == .db4 ? 0.15 : 0.12), "\(method.rawValue) \(basis.rawValue): \(error)")
    }
  }

  @Test func theNoiseDecidesTheWeight() throws {
    let truth = Self.plane(7)
    let measured = try RandomTransformOperator(.cosine, height: 16, width: 16, measurementCount: 160, seed: 2)
    let noise = try MeasurementNoise(.gaussian, level: 0.05), exact = measured.forward(truth)
    let seen = noise.added(to: exact), length = noise.expectedLength(of: seen)
    for method in [ReconstructionSettings.Method.fista, .basisPursuitDenoising, .totalVariation] {
      let solver = try ReconstructionSettings(method).reconstruction(
        for: measured, height: 16, width: 16, noise: length)
      let found = try solver.reconstruct(seen, of: measured, height: 16, width: 16)
      #expect(abs(distance(measured.forward(found), seen) / length - 1) < 0.02, "\(method.rawValue)")
    }
  }

  @Test func theLogGoesDown() throws {
    let truth = Self.plane(7)
    let measured = try RandomTransformOperator(.cosine, height: 16, width: 16, measurementCount: 128, seed: 2)
    var objectives: [Double] = []
    _ = try Lasso(isAccelerated: false, iterations: 50).reconstruct(
      measured.forward(truth), of: measured, height: 16, width: 16
    ) { objectives.append($0.objective) }
    #expect(objectives.count > 10 && zip(objectives, objectives.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
  }

  @Test func whatIsMissingIsNamed() throws {
    let measured = try MaskOperator(signalCount: 256, measurementCount: 128, seed: 2)
    #expect(throws: SensingError.self) {
      try ReconstructionSettings(.linearMeanSquare).reconstruction(for: measured, height: 16, width: 16)
    }
    #expect(throws: SensingError.self) {
      try ReconstructionSettings(.principalComponents).reconstruction(
        for: measured, height: 16, width: 16, training: [[1], [2]])
    }
  }
}
