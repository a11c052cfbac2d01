import MartletTensor
import MartletOptimization
import Testing

struct OptimizerTests {
  /// Every method finds the bottom of a bowl; single and double precision walk the same way.
  @Test(arguments: OptimizerSettings.Method.allCases) func minimises(method: OptimizerSettings.Method) {
    for dtype in [DType.float32, .float64] {
      var parameters = [Tensor(doubles: [3, -2, 0.5], dtype: dtype)]
      var optimizer = Optimizer(
        OptimizerSettings(method: method, learningRate: 0.05, momentum: 0.5, clip: nil))
      for _ in 0..<400 {
        let (_, gradients) = valueAndGradient(at: parameters) { ($0[0] - 1).squared.sum() }
        optimizer.update(&parameters, gradients: gradients)
      }
      #expect(parameters[0].doubleValues.allSatisfy { abs($0 - 1) < 1e-2 }, "\(method) \(dtype)")
    }
  }

  @Test func aStepDoesNotChangeTensorsThatOthersHold() {
    let original = Tensor([1, 2, 3])
    var parameters = [original]
    var optimizer = Optimizer(OptimizerSettings(learningRate: 0.1))
    optimizer.update(&parameters, gradients: [Tensor([1, 1, 1])])
    #expect(original.values == [1, 2, 3])
    #expect(parameters[0].values != [1, 2, 3])
  }

  @Test func clippingScalesToTheNorm() {
    var parameters = [Tensor([0, 0])]
    var optimizer = Optimizer(OptimizerSettings(method: .sgd, learningRate: 1, clip: 1))
    let norm = optimizer.update(&parameters, gradients: [Tensor([3, 4])])
    #expect(norm == 5)
    #expect(abs(parameters[0].values[0] + 0.6) < 1e-5 && abs(parameters[0].values[1] + 0.8) < 1e-5)
  }

  @Test func schedules() {
    let cosine = LearningRateSchedule(shape: .cosine, warmup: 10, final: 0.1, steps: 110)
    #expect(cosine.share(at: 0) == 0.01)
    #expect(abs(cosine.share(at: 5) - (0.01 + 0.99 * 0.5)) < 1e-12)
    #expect(cosine.share(at: 10) == 1)
    #expect(abs(cosine.share(at: 60) - 0.55) < 1e-12)
    #expect(abs(cosine.share(at: 500) - 0.1) < 1e-12)
    #expect(LearningRateSchedule(shape: .linear, final: 0, steps: 4).share(at: 1) == 0.75)
    #expect(abs(LearningRateSchedule(shape: .exponential, final: 0.01, steps: 2).share(at: 1) - 0.1) < 1e-12)
  }
}
