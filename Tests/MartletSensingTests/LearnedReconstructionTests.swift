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

  /// A generator's own latent steps and a search of a decoder's input follow measurements of an operator that training did not have.
  @Test func stepsOnOtherMeasurements() throws {
    let other = OperatorDescription(.mask, measurementCount: 9, seed: 3)
    func misfit(_ test: RecoveryTest, _ settings: RecoverySettings) throws -> Double {
      try test.recover(images, by: RecoveryModel(settings), settings: settings).misfits.reduce(0, +)
    }
    var test = RecoveryTest(seed: 2), dcs = settings(.dcs)
    test.otherOperator = other
    dcs.measurement = .random
    test.latentSteps = 0
    let unmoved = try misfit(test, dcs)
    test.latentSteps = 60
    #expect(try misfit(test, dcs) < unmoved)
    let regression = settings(.regression)
    #expect(throws: SensingError.self) { try misfit(test, regression) }
    test.latentSteps = nil
    #expect(throws: SensingError.self) { try misfit(test, regression) }
    test.refinement = MeasurementRefinement(.weights, steps: 3, learningRate: 0.05)
    #expect(throws: SensingError.self) { try misfit(test, regression) }
    test.refinement = MeasurementRefinement(.input, steps: 0, learningRate: 0.05)
    let start = try misfit(test, regression)
    test.refinement = MeasurementRefinement(.input, steps: 60, learningRate: 0.05)
    let free = try misfit(test, regression)
    #expect(free < start)
    // What keeps the input near what the decoder's own signals give is paid for in measurement error.
    test.refinement?.anchorWeight = 100
    #expect(try misfit(test, regression) > free)
  }

  @Test func severalAnswers() throws {
    var settings = settings(.dcs)
    let dcs = try RecoveryModel(settings), test = RecoveryTest(seed: 2)
    let several = try RecoveryAnswers(5, to: test, images, by: dcs, settings: settings)
    #expect(several.spread > 0)
    #expect(several.nearest.l2 <= several.chosen.l2 && several.nearest.l2 < several.l2)
    let plain = try test.recover(images, by: dcs, settings: settings)
    #expect(several.first.signals.doubleValues == plain.signals.doubleValues)
    #expect(abs(plain.errors.reduce(0, +) / 3 - plain.quality.l2) < 1e-6)
    let measured = dcs.measure(plain.signals) - dcs.measure(images.signals)
    for (value, known) in zip(plain.misfits, measured.squared.sum(axes: [1]).doubleValues) {
      #expect(abs(value - known.squareRoot()) < 1e-5)
    }
    // A decoder has one answer.
    settings = self.settings(.regression)
    let one = try RecoveryAnswers(3, to: test, images, by: RecoveryModel(settings), settings: settings)
    #expect(one.spread == 0 && abs(one.mean.l2 - one.l2) < 1e-5 && one.correlation == 0)
  }

  /// The values of SciPy's `spearmanr([1, 2, 2, 5, 0.5], [3, 1, 4, 4, -2])` and of a normal interval.
  @Test func statisticsOfAnswers() {
    let correlation = RecoveryAnswers.rankCorrelation([1, 2, 2, 5, 0.5], [3, 1, 4, 4, -2])
    #expect(abs(correlation - 0.7631578947368421) < 1e-12)
    #expect(RecoveryAnswers.rankCorrelation([1, 1, 1], [1, 2, 3]) == 0)
    let interval = RecoveryAnswers.interval([1, 2, 3, 4])
    #expect(
      abs(interval.lower - (2.5 - 1.96 * (5.0 / 12).squareRoot())) < 1e-12
        && abs(interval.upper + interval.lower - 5) < 1e-12)
  }
}
