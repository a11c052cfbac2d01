import MartletLayers
import MartletOptimization
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct DeepCompressedSensingGradientTests {
  /// The gradient that is written out is that of the tape, whatever the numbers of steps and layers and the weights are.
  @Test(arguments: [0, 1, 3], [MeasurementFunction.Mode.linear, .random])
  func theGradientThatIsWrittenOutIsThatOfTheTape(_ steps: Int, _ mode: MeasurementFunction.Mode) throws {
    let random = RandomSource(seed: 11)
    for (widths, output) in [
      ([4, 6, 5, 9], MultilayerPerceptron.Output.tanh), ([4, 9], .tanh), ([4, 7, 9], .linear),
    ] {
      var model = DeepCompressedSensing(
        generator: MultilayerPerceptron(widths: widths, output: output, random: random.stream("g")),
        measurement: MeasurementFunction(mode, signal: 9, measurements: 3, random: random.stream("f")),
        logStep: Tensor(-1), optimization: LatentOptimization(steps: steps))
      model.replaceParameters(
        model.parameters.map {
          ($0.value + normal($0.value.shape, deviation: 0.1, random: random.stream($0.name))).cast(to: .float64)
        })
      let signals = uniform([5, 9], from: -1, to: 1, random: random.stream("x")).cast(to: .float64)
      let start = normal([5, 4], random: random.stream("z")).cast(to: .float64)
      var weights = DeepCompressedSensingTrainer.Weights()
      (weights.measurement, weights.isometry, weights.image) = (0.7, 1.3, 0.4)
      let trainer = DeepCompressedSensingTrainer(
        model, weights: weights, optimizer: Optimizer(.adam(learningRate: 1e-3)))
      let tape = trainer.byTape(signals, from: start)
      let written = try #require(trainer.writtenOut(signals, from: start))
      #expect(abs(tape.generatorLoss - written.generatorLoss) < 1e-12 * tape.generatorLoss)
      #expect(abs(tape.isometryLoss - written.isometryLoss) < 1e-12 * tape.isometryLoss)
      #expect(abs(tape.imageLoss - written.imageLoss) < 1e-12 * tape.imageLoss)
      #expect(tape.gradients.count == written.gradients.count)
      let quick = model.signals(model.measurement(signals), from: start), whole = tape.reconstruction.signals
      #expect((quick - whole).doubleValues.allSatisfy { abs($0) < 1e-12 })
      for (a, b) in zip(tape.gradients, written.gradients) {
        #expect(a.shape == b.shape)
        let scale = a.doubleValues.map { abs($0) }.max() ?? 0
        #expect((a - b).doubleValues.allSatisfy { abs($0) <= 1e-12 * max(scale, 1e-3) })
      }
      #expect(tape.reconstruction.path.count == written.reconstruction.path.count)
    }
  }

  @Test(arguments: MeasurementFunction.Mode.allCases)
  func theGradientOfRegressionIsThatOfTheTape(_ mode: MeasurementFunction.Mode) {
    let random = RandomSource(seed: 13)
    var model = RegressionDecoder(
      measurement: MeasurementFunction(mode, signal: 9, measurements: 3, hidden: 4, random: random.stream("f")),
      decoder: MultilayerPerceptron(widths: [3, 6, 5, 9], output: .tanh, random: random.stream("d")))
    model.replaceParameters(model.parameters.map { $0.value.cast(to: .float64) })
    let signals = uniform([5, 9], from: -1, to: 1, random: random.stream("x")).cast(to: .float64)
    let (loss, gradients) = model.lossAndGradient(signals)
    let (value, tape) = model.valueAndGradient(where: model.isTrained) { $0.loss(signals) }
    #expect(abs(value.scalar - loss) < 1e-12 * loss && tape.count == gradients.count)
    for (a, b) in zip(tape, gradients) {
      #expect(a.shape == b.shape && (a - b).doubleValues.allSatisfy { abs($0) < 1e-12 })
    }
  }

  /// What the gradient that is written out does not cover goes by the tape.
  @Test func otherModelsGoByTheTape() {
    let random = RandomSource(seed: 12)
    func covers(_ change: (inout DeepCompressedSensing) -> Void) -> Bool {
      var model = DeepCompressedSensing(
        generator: MultilayerPerceptron(widths: [3, 4, 6], output: .tanh, random: random),
        measurement: MeasurementFunction(.linear, signal: 6, measurements: 2, random: random), logStep: Tensor(-1))
      change(&model)
      let trainer = DeepCompressedSensingTrainer(model, optimizer: Optimizer(.adam(learningRate: 1e-3)))
      return trainer.writtenOut(.zeros([2, 6]), from: .ones([2, 3])) != nil
    }
    #expect(covers { _ in })
    #expect(!covers { $0.optimization.isExact = false })
    #expect(!covers { $0.optimization.projection = .clip })
    #expect(!covers { $0.encoder = MultilayerPerceptron(widths: [2, 3], random: random) })
    #expect(
      !covers { $0.measurement = MeasurementFunction(.network, signal: 6, measurements: 2, hidden: 3, random: random) })
  }
}
