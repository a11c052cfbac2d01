import MartletLayers
import MartletTensor
import Testing

struct NormalizationLayerTests {
  /// By hand: channel values 1, 3 and 2, 6; means 2 and 4, variances 1 and 4, unbiased 2 and 8.
  @Test func batchNormFollowsItsBatches() {
    let x = Tensor([1, 2, 3, 6], shape: [2, 2])
    var norm = BatchNorm(channels: 2, momentum: 0.5, epsilon: 0)
    norm.bias = Tensor([0, 10])
    let (y, statistics) = norm.training(x)
    #expect(y.values == [-1, 9, 1, 11])
    norm.follow(statistics)
    #expect(norm.mean.values == [1, 2])
    #expect(norm.variance.values == [1.5, 4.5])
    let later = norm(x).values
    let wanted: [Float] = [0, 10, 1.632993, 11.885618]
    for (value, wanted) in zip(later, wanted) {
      #expect(abs(value - wanted) < 1e-5)
    }
    #expect(norm.parameters.map(\.name) == ["weight", "bias"])
  }

  /// A diagonal matrix has its largest entry as largest singular value.
  @Test func spectralNormFindsTheLargestSingularValue() {
    var norm = SpectralNorm(weight: Tensor([4, 0, 0, 0.5], shape: [2, 2]), random: RandomSource(seed: 1))
    norm.refine(iterations: 20)
    for (value, wanted) in zip(norm.normalized().values, [1, 0, 0, 0.125] as [Float]) {
      #expect(abs(value - wanted) < 1e-5)
    }
    #expect(norm.parameterCount == 4)
  }

  @Test func rotaryTableGivesAnglesOfPositions() {
    let table = RotaryTable(frequencies: [1, 0.5], magnitude: 2)
    let (cosine, sine) = table.angles([0, 2])
    #expect(cosine.shape == [2, 2])
    #expect(cosine.values[0] == 2 && sine.values[0] == 0)
    #expect(abs(sine.values[3] - 2 * Float(0.841471)) < 1e-5)
  }
}
