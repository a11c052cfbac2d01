import MartletLayers
import MartletOptimization
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct GenerativePriorSearchTests {
  /// With a linear generator the search has one answer, that of ridge regression.
  @Test func aLinearGeneratorHasTheAnswerOfRidgeRegression() {
    // G(z) = z, F(x) = (2 x0, x1): z = (2 y0 / (4 + w), y1 / (1 + w)).
    let matrix = Tensor(doubles: [2, 0, 0, 1], shape: [2, 2])
    let search = GenerativePriorSearch(steps: 3000, restarts: 3, learningRate: 0.02, priorWeight: 0.5)
    let result = search.recover(
      Tensor(doubles: [1, -3, 0.5, 2], shape: [2, 2]), latents: 2, random: RandomSource(seed: 1),
      measure: { matmul($0, matrix) }, generate: { $0 })
    let expected = [2 / 4.5, -3 / 1.5, 1 / 4.5, 2 / 1.5]
    for (value, exact) in zip(result.signals.doubleValues, expected) { #expect(abs(value - exact) < 1e-4) }
    #expect(result.candidates.shape == [2, 3, 2])
  }

  /// The start whose measurement error is smallest is the one that is returned, row by row.
  @Test func theBestStartIsKept() {
    let matrix = Tensor([1, 0, 1])
    let search = GenerativePriorSearch(steps: 2, restarts: 5, priorWeight: 0)
    let measurements = Tensor([0.3, -0.2, 0.9, 0.1], shape: [4, 1])
    let measure = { (x: Tensor) in matmul(x, matrix.reshaped([3, 1])) }
    let result = search.recover(
      measurements, latents: 3, random: RandomSource(seed: 2), measure: measure, generate: { tanh($0) })
    let kept = (measure(result.signals) - measurements).squared.sum(axes: [1]).values
    let errors = result.errors.values
    for row in 0..<4 { #expect(kept[row] == errors[row * 5..<row * 5 + 5].min()) }
  }
}

@Suite struct VariationalAutoencoderTests {
  /// Means 0 and variances 1 have no divergence, and logits 0 cost the logarithm of 2 for each value.
  @Test func theBoundOfAModelOfZeros() {
    var model = VariationalAutoencoder(signal: 6, latents: 2, hidden: 4, random: RandomSource(seed: 1))
    model.replaceParameters(model.parameters.map { .zeros($0.value.shape) })
    let loss = model.loss(.full([3, 6], -1), noise: normal([3, 2], random: RandomSource(seed: 2)))
    #expect(abs(loss.scalar - 6 * 0.6931471805599453) < 1e-5)
    #expect(model.generate(.ones([1, 2])).values == [Float](repeating: 0, count: 6))
  }

  @Test func trainingLowersTheBoundAndGeneratesWhatWasSeen() {
    let random = RandomSource(seed: 3)
    var model = VariationalAutoencoder(signal: 8, latents: 2, hidden: 16, random: random)
    // Two kinds of signals: the left half is light, or the right half is.
    let left: [Float] = [1, 1, 1, 1, -1, -1, -1, -1]
    let signals = Tensor((0..<16).flatMap { $0 % 2 == 0 ? left : left.reversed() }, shape: [16, 8])
    var optimizer = Optimizer(.adam(learningRate: 0.01))
    var losses: [Double] = []
    for step in 0..<400 {
      let noise = normal([16, 2], random: random.stream("noise").stream(step))
      let (loss, gradients) = model.valueAndGradient { $0.loss(signals, noise: noise) }
      optimizer.update(&model, gradients: gradients)
      losses.append(loss.scalar)
    }
    #expect(losses[399] < 0.5 * losses[0])
    let search = GenerativePriorSearch(steps: 100, restarts: 4)
    let found = search.recover(
      signals.rows(0..<2).slice(axis: 1, 0..<2), by: model, random: random.stream("search"),
      measure: { $0.slice(axis: 1, 0..<2) })
    let wanted = signals.rows(0..<2).values
    for (value, exact) in zip(found.signals.values, wanted) { #expect(abs(value - exact) < 0.5) }
  }
}
