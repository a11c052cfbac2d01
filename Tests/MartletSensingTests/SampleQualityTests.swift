import MartletLayers
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct SampleQualityTests {
  let random = RandomSource(seed: 5)

  /// Sets whose covariances are diagonal and known: the distance is that of means and of standard deviations.
  @Test func theFrechetDistanceOfScaledAndShiftedFeatures() {
    let x = normal([400, 3], random: random).cast(to: .float64)
    #expect(FrechetDistance.between(x, x) < 1e-6)
    #expect(abs(FrechetDistance.between(x, x + 2) - 12) < 1e-6)
    // C2 = 9 C1, so that Tr(C1 + C2 - 2 (C1 C2)^(1/2)) = (1 - 3)² Tr C1; the mean moves by 2 mu.
    let mean = x.mean(axes: [0], keepingAxes: true)
    let trace = (x - mean).squared.sum().scalar / 399
    let expected = 4 * trace + 4 * mean.squared.sum().scalar
    #expect(abs(FrechetDistance.between(x, x * 3) - expected) < 1e-6 * expected)
    // A feature that is always 0 changes nothing.
    let padded = x.padded(axis: 1, before: 0, after: 1)
    #expect(abs(FrechetDistance.between(padded, padded * 3) - expected) < 1e-5 * expected)
  }

  @Test func aClassifierJudgesCollapse() throws {
    // Ten kinds of images: one light pixel among ten, with noise.
    let labels = (0..<600).map { $0 % 10 }
    let noise = normal([600, 10], deviation: 0.1, random: random.stream("noise"))
    let light = Tensor(labels.flatMap { label in (0..<10).map { $0 == label ? Float(1) : -1 } }, shape: [600, 10])
    let images = light + noise
    let classifier = try ImageClassifier.train(images, labels: labels, steps: 400, random: random)
    #expect(classifier.accuracy(images, labels: labels) > 0.99)
    let good = try SampleQuality(of: images.rows(0..<300), against: images.rows(300..<600), by: classifier)
    let places = (0..<300).map { $0 % 30 < 20 ? 0 : 1 }
    let collapsed = try SampleQuality(of: images.gatherRows(places), against: images.rows(300..<600), by: classifier)
    #expect(good.modeCount == 10 && collapsed.modeCount == 2)
    #expect(good.classifierScore > 8 && collapsed.classifierScore < 3)
    #expect(collapsed.frechetDistance > 10 * good.frechetDistance)
    #expect(abs(good.diversity - 1) < 0.1 && collapsed.diversity < 0.1)
    #expect(throws: SensingError.self) {
      try SampleQuality(of: images.slice(axis: 1, 0..<4), against: images, by: classifier)
    }
    #expect(throws: SensingError.self) { try ImageClassifier.train(images, labels: [1], random: random) }
  }
}

@Suite struct ConvolutionalNetworkTests {
  /// The published networks for 32x32 have 3.81 million and 2.94 million parameters.
  @Test func theNetworksForColourImagesHaveThePublishedSizes() {
    let random = RandomSource(seed: 6)
    let generator = ConvolutionalGenerator(
      latents: 128, base: 4, channels: [512, 256, 128, 64], colours: 3, random: random)
    let discriminator = ConvolutionalDiscriminator(
      side: 32, colours: 3,
      layers: [(64, false), (64, true), (128, false), (128, true), (256, false), (256, true), (512, false)],
      random: random)
    #expect(abs(generator.parameterCount - 3_810_000) < 20_000, "\(generator.parameterCount)")
    #expect(abs(discriminator.parameterCount - 2_940_000) < 20_000, "\(discriminator.parameterCount)")
    #expect(generator.outputCount == 3072 && discriminator.inputCount == 3072)
  }

  /// The gradients of both losses, which flow through two latent steps, agree with differences of the losses.
  @Test func gradientsThroughLatentStepsAgreeWithDifferences() throws {
    let random = RandomSource(seed: 7)
    var model = LatentOptimizedGAN(
      generator: ConvolutionalGenerator(latents: 5, base: 2, channels: [3, 2], random: random.stream("g")),
      discriminator: ConvolutionalDiscriminator(side: 4, layers: [(2, false), (3, true)], random: random.stream("d")),
      logStep: Tensor(-0.5), optimization: LatentOptimization(steps: 2))
    model.replaceParameters(model.parameters.map { $0.value.cast(to: .float64) })
    let signals = normal([4, 16], random: random.stream("x")).cast(to: .float64)
    let start = normal([4, 5], random: random.stream("z")).cast(to: .float64)
    // The singular vectors are constants in the gradient, which is exact once they have settled.
    for _ in 0..<500 { model.discriminator.follow(signals) }
    let step = LatentOptimizedGANTrainer.differentiate(model, signals, from: start)
    for isDiscriminator in [true, false] {
      let isChosen = { (name: String) in LatentOptimizedGAN.isOfDiscriminator(name) == isDiscriminator }
      let values = model.parameters(where: isChosen).map(\.value)
      let directions = values.enumerated().map {
        normal($1.shape, random: random.stream("direction").stream($0)).cast(to: .float64)
      }
      func loss(_ distance: Double) -> Double {
        let moved = zip(values, directions).map { $0 + $1 * distance }
        let losses = model.replacingParameters(moved, where: isChosen).losses(signals, from: start)
        return (isDiscriminator ? losses.discriminator : losses.generator).scalar
      }
      let gradients = isDiscriminator ? step.discriminatorGradients : step.generatorGradients
      let slope = zip(gradients, directions).reduce(0) { $0 + ($1.0 * $1.1).sum().scalar }
      let difference = (loss(1e-6) - loss(-1e-6)) / 2e-6
      #expect(abs(slope - difference) < 1e-6 * max(1, abs(difference)), "\(slope) \(difference)")
    }
  }

  /// In use a row's image does not depend on the other rows, which the statistics of a batch would make it do.
  @Test func inferenceTreatsRowsByThemselves() {
    var generator = ConvolutionalGenerator(latents: 4, base: 2, channels: [3, 2], random: RandomSource(seed: 8))
    let z = normal([6, 4], random: RandomSource(seed: 9))
    for _ in 0..<50 { generator.follow(z) }
    let all = generator.forInference(z), one = generator.forInference(z.rows(0..<1))
    for (a, b) in zip(all.rows(0..<1).values, one.values) { #expect(abs(a - b) < 1e-5) }
    // After many batches of one kind the running statistics are those of the batch, but for the unbiased variance.
    for (a, b) in zip(all.values, generator(z).values) { #expect(abs(a - b) < 0.2) }
  }
}
