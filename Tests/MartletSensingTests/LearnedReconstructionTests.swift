import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct LearnedReconstructionTests {
  private func settings(_ method: RecoverySettings.Method) -> RecoverySettings {
    var settings = RecoverySettings()
    settings.method = method
    (settings.height, settings.width, settings.measurements) = (6, 6, 5)
    (settings.hidden, settings.latents, settings.steps) = (12, 4, 0)
    settings.measurement = method == .csgm ? .random : .linear
    (settings.phases, settings.channels, settings.searchSteps, settings.restarts) = (2, 2, 20, 2)
    return settings
  }
  private var images: ImageSet {
    ImageSet(signals: uniform([3, 36], from: -1, to: 1, random: RandomSource(seed: 4)), height: 6, width: 6)
  }

  /// Planes from 0 to 1 that the model's own matrix measured come back as the model recovers signals from -1 to 1.
  @Test(arguments: [RecoverySettings.Method.regression, .dcs, .unrolled])
  func ownMeasurementsAreRecoveredAsTheModelDoes(_ method: RecoverySettings.Method) throws {
    let settings = settings(method), model = try RecoveryModel(settings), images = images
    let matrix = try #require(model.measurementMatrix)
    for count in [5, 3] {
      let own = try MatrixOperator(
        signalCount: 36, measurementCount: count,
        rows: matrix.slice(axis: 1, 0..<count).transposed().contiguous().doubleValues)
      let planes = (0..<3).map { images.signals.rows($0..<$0 + 1).doubleValues.map { ($0 + 1) / 2 } }
      let method = LearnedReconstruction(model, settings: settings)
      let recovered = try method.reconstruct(planes: planes.map { own.forward($0) }, of: own, height: 6, width: 6)
      let expected = model.reconstruct(
        model.measure(images.signals).slice(axis: 1, 0..<count),
        random: RandomSource(seed: 1).stream("learned reconstruction"))
      for (value, known) in zip(recovered.flatMap { $0 }, expected.doubleValues) {
        #expect(abs(value - (known + 1) / 2) < 1e-3)
      }
    }
  }

  /// Only generators can be given measurements of another operator; images of another size are refused.
  @Test(arguments: RecoverySettings.Method.allCases)
  func otherOperators(_ method: RecoverySettings.Method) throws {
    let settings = settings(method), model = try RecoveryModel(settings)
    let other = try OperatorDescription(.mask, measurementCount: 9, seed: 3).linearOperator(height: 6, width: 6)
    let reconstruction = LearnedReconstruction(model, settings: settings)
    let measured = other.forward([Double](repeating: 0.5, count: 36))
    if method == .csgm || method == .dcs {
      #expect(try reconstruction.reconstruct(measured, of: other, height: 6, width: 6).count == 36)
    } else {
      #expect(throws: SensingError.self) { try reconstruction.reconstruct(measured, of: other, height: 6, width: 6) }
    }
    #expect(throws: SensingError.self) { try reconstruction.reconstruct(measured, of: other, height: 9, width: 4) }
    #expect(throws: SensingError.self) { try reconstruction.reconstruct([1], of: other, height: 6, width: 6) }
  }

  @Test func testsOfAModel() throws {
    let regression = settings(.regression), model = try RecoveryModel(regression)
    var test = RecoveryTest(seed: 2)
    let plain = try test.recover(images, by: model, settings: regression).signals
    #expect(plain.shape == images.signals.shape)

    // Steps of the input make the measurement error smaller.
    func misfit(_ signals: Tensor) -> Double {
      (model.measure(signals) - model.measure(images.signals)).squared.sum().scalar
    }
    for target in MeasurementRefinement.Target.allCases {
      test.refinement = MeasurementRefinement(target, steps: 30, learningRate: 0.01)
      #expect(misfit(try test.recover(images, by: model, settings: regression).signals) < misfit(plain))
    }
    (test.refinement, test.missing) = (nil, 2)
    #expect(try test.recover(images, by: model, settings: regression).signals.shape == images.signals.shape)
    test.missing = 5
    #expect(throws: SensingError.self) { try test.recover(images, by: model, settings: regression) }

    let unrolled = settings(.unrolled)
    test.missing = 1
    #expect(throws: SensingError.self) {
      try test.recover(images, by: RecoveryModel(unrolled), settings: unrolled)
    }
    let dcs = settings(.dcs)
    #expect(try test.recover(images, by: RecoveryModel(dcs), settings: dcs).quality.l2.isFinite)
    test.refinement = MeasurementRefinement(.input, steps: 1, learningRate: 0.1)
    #expect(throws: SensingError.self) { try test.recover(images, by: RecoveryModel(dcs), settings: dcs) }
  }
}
