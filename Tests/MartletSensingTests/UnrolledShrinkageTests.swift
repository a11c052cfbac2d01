import Foundation
import MartletLayers
import MartletOptimization
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct UnrolledShrinkageTests {
  let random = RandomSource(seed: 4)

  @Test func anImageOfAnotherSizeAndANetworkAreRefused() throws {
    let matrix = MeasurementFunction(.random, signal: 12, measurements: 4, random: random)
    #expect(throws: SensingError.self) { try UnrolledShrinkage(matrix, height: 4, width: 4, random: random) }
    let network = MeasurementFunction(.network, signal: 12, measurements: 4, hidden: 3, random: random)
    #expect(throws: SensingError.self) { try UnrolledShrinkage(network, height: 3, width: 4, random: random) }
  }

  /// Before training the corrections are 0, so that the phases are plain gradient descent.
  @Test func anUntrainedModelIsGradientDescent() throws {
    let measurement = MeasurementFunction(.random, signal: 16, measurements: 6, random: random)
    let model = try UnrolledShrinkage(measurement, height: 4, width: 4, phases: 3, random: random)
    let images = normal([2, 16], random: random.stream("images"))
    let y = model.measure(images), a = model.matrix
    let step = exp(model.phases[0].logStep.scalar)
    var x = matmul(y, a.transposed()) * step, misfits: [Double] = []
    for _ in 0..<3 {
      misfits.append((matmul(x, a) - y).squared.sum().scalar)
      x = x - step * matmul(matmul(x, a) - y, a.transposed())
    }
    #expect(misfits[2] < misfits[1] && misfits[1] < misfits[0])
    for (value, exact) in zip(model.reconstruct(y).values, x.values) { #expect(abs(value - exact) < 1e-4) }
  }

  @Test func trainingLowersTheErrorAndKeepsARandomMatrix() throws {
    let measurement = MeasurementFunction(.random, signal: 36, measurements: 9, random: random)
    var model = try UnrolledShrinkage(measurement, height: 6, width: 6, phases: 2, channels: 4, random: random)
    // Images of one light row or column.
    var values = [Float](repeating: -1, count: 12 * 36)
    for line in 0..<6 {
      for place in 0..<6 {
        values[line * 36 + line * 6 + place] = 1
        values[(line + 6) * 36 + place * 6 + line] = 1
      }
    }
    let images = Tensor(values, shape: [12, 36]), matrix = model.matrix.values
    var optimizer = Optimizer(.adam(learningRate: 0.003))
    let isTrained = model.isTrained, before = model.loss(images).scalar
    for _ in 0..<150 {
      let (_, gradients) = model.valueAndGradient(where: isTrained) { $0.loss(images) }
      optimizer.update(&model, gradients: gradients, where: isTrained)
    }
    #expect(model.loss(images).scalar < 0.3 * before)
    #expect(model.matrix.values == matrix)
  }
}
