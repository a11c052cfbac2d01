import MartletTensor
import MartletTestSupport
import Testing

struct GradientTests {
  @Test func higherOrders() {
    // x^3 at 2: 12, 12, 6, 0.
    var x = Tensor(2, dtype: .float64).variable()
    var y = x * x * x
    var found: [Double] = []
    for _ in 0..<4 {
      y = gradients(of: y, withRespectTo: [x], createGraph: true)[0]
      found.append(y.scalar)
    }
    #expect(found == [12, 12, 6, 0])
    x = x.detached()
    #expect(!(x * x).isRecorded)
  }

  @Test func gradientsFlowThroughOneVariableToAnother() {
    let x = Tensor(3, dtype: .float64).variable()
    let y = x * x
    let z = y * y
    let both = gradients(of: z, withRespectTo: [x, y])
    #expect(both[0].scalar == 108 && both[1].scalar == 18)
    #expect(gradients(of: z + stopGradient(y) * 100, withRespectTo: [x])[0].scalar == 108)
    let unrelated = Tensor([1.0, 2.0] as [Float]).variable()
    #expect(gradients(of: z, withRespectTo: [unrelated])[0].values == [0, 0])
  }

  @Test func aLongChainDoesNotOverflowTheStack() {
    let x = Tensor(1).variable()
    var y = x
    for _ in 0..<200_000 { y = y + 0.0 }
    #expect(gradients(of: y, withRespectTo: [x])[0].scalar == 1)
  }

  @Test func checkpointingGivesTheSameGradients() {
    let w = Tensor(TestData.noise(64, seed: 2), shape: [8, 8]), x = Tensor(TestData.noise(24), shape: [3, 8])
    let block: @Sendable ([Tensor]) -> Tensor = { silu(matmul($0[0], $0[1])) }
    let plain = valueAndGradient(at: [x, w]) { block([block($0), $0[1]]).sum() }
    let kept = valueAndGradient(at: [x, w]) { checkpointed([checkpointed($0, block), $0[1]], block).sum() }
    #expect(plain.value.values == kept.value.values)
    #expect(zip(plain.gradients, kept.gradients).allSatisfy { $0.values == $1.values })
  }

  /// Random shapes, broadcasts and views: every gradient, and the gradient of every gradient, against central
  /// differences in double precision.
  @Test(arguments: 0..<96) func finiteDifferences(seed: Int) {
    let random = RandomSource(seed: UInt64(seed)).stream("shapes")
    let (rows, columns) = (1 + random.integer(0, below: 4), 1 + random.integer(1, below: 5))
    func values(_ shape: [Int], _ stream: Int) -> Tensor {
      normal(shape, random: random.stream(stream)).cast(to: .float64)
    }
    let inputs = [
      values([rows, columns], 1), values([random.integer(2, below: 2) == 0 ? 1 : rows, columns], 2),
      values([columns], 3), values([columns, rows + 1], 4),
    ]
    let groups = columns % 2 == 0 ? 2 : 1
    func image(_ x: Tensor) -> Tensor {  // [1, 2, 4, 4] of the values there are
      x.reshaped([x.count]).gatherRows((0..<32).map { $0 * 7 % x.count }).reshaped([1, 2, 4, 4])
    }
    let functions: [([Tensor]) -> Tensor] = [
      { tanh($0[0] * $0[1] + $0[2]) },
      { matmul($0[0] + $0[2], $0[3]).transposed().contiguous() },
      { softmax($0[0] / (exp($0[1]) + 1)) },
      { concatenated([$0[0], $0[1]]).slice(axis: 1, 0..<max(1, columns - 1)) * $0[1].sum() },
      { groupNorm($0[0] * 2, groups: groups, weight: $0[2], bias: $0[2] * $0[2], epsilon: 1e-2) },
      { gelu($0[0].transposed()).squared.sum(axes: [1], keepingAxes: true) },
      { sqrt(($0[0] - $0[1]).squared + 0.1).mean(axes: [0]) },
      { $0[0].gatherRows([0, rows - 1, 0]) * $0[2] },
      { log(softplus($0[3]) + 1).permuted([1, 0]).padded(axis: 0, before: 1, after: 2).squared },
      { lerp($0[0], $0[0].cumulativeSum(axis: 0), mix: sigmoid($0[2])) },
      { image($0[0]).averagePooled(size: 2) * image($0[3]).maxPooled(size: 2) },
      { maximum($0[0], $0[1]) * minimum($0[0], $0[2]) },
      { ($0[0].squared + 0.5).power(1.7) * cos($0[1]) + sin($0[2]) * abs($0[0]) },
      { logSumExp($0[0] * $0[2]) * rsqrt($0[1].squared.sum() + 1) },
      { convolution(image($0[0]), weight: image($0[3]).slice(axis: 2, 0..<3).slice(axis: 3, 1..<3), padding: 1) },
      { transposedConvolution(tanh(image($0[0])), weight: image($0[1]).transposed(0, 1), stride: 2) },
      { batchNorm(image($0[0]), weight: $0[2].sum().broadcast(to: [2]), bias: $0[1].mean().broadcast(to: [2])).result },
      {
        select(
          Tensor(doubles: [1, 0, 1]), ($0[0].squared.sum() + 1).broadcast(to: [3]), erf($0[2]).sum().broadcast(to: [3]))
      },
      { clamp($0[0] * 0.5, from: -0.4, to: 0.6) * leakyRelu($0[1]) },
      { rmsNorm($0[0], weight: $0[2], epsilon: 1e-2) / ($0[1].squared + 1) },
      { silu($0[0]) * geluTanh($0[1]) + siluMultiply($0[0], $0[0]) },
      { stacked([$0[0], $0[0] * $0[1].broadcast(to: [rows, columns])]).maximum(axis: 0) },
      { crossEntropy(matmul($0[0], $0[3]), targets: (0..<rows).map { $0 % (rows + 1) }, labelSmoothing: 0.1) },
      { $0[0].scatterRows((0..<rows).map { $0 * 2 % 3 }, count: 3).squared * $0[2] },
    ]
    let function = functions[seed % functions.count]
    let value = { (x: [Tensor]) -> Tensor in
      let y = function(x)
      return (y * Tensor(doubles: (0..<y.count).map { Double($0 % 7) - 2.5 }, shape: y.shape)).sum()
    }
    expectSlopes(value, inputs, "function \(seed % functions.count)")
    let directions = inputs.indices.map { values(inputs[$0].shape, 10 + $0) }
    let second = { (x: [Tensor]) -> Tensor in
      let variables = x.map { $0.isRecorded ? $0 : $0.variable() }
      return zip(gradients(of: value(variables), withRespectTo: variables, createGraph: true), directions)
        .reduce(Tensor(0, dtype: .float64)) { $0 + ($1.0 * $1.1).sum() }
    }
    expectSlopes(second, inputs, "gradient of function \(seed % functions.count)")
  }

  private func expectSlopes(_ value: ([Tensor]) -> Tensor, _ inputs: [Tensor], _ what: String) {
    let found = valueAndGradient(at: inputs, of: value).gradients
    let step = 1e-6
    for (place, input) in inputs.enumerated() {
      for element in 0..<input.count {
        func moved(_ by: Double) -> Double {
          var changed = input.doubleValues
          changed[element] += by
          var list = inputs
          list[place] = Tensor(doubles: changed, shape: input.shape)
          return value(list).scalar
        }
        let slope = (moved(step) - moved(-step)) / (2 * step)
        let gradient = found[place].doubleValues[element]
        #expect(abs(slope - gradient) <= 1e-5 + 1e-3 * abs(slope), "\(what), input \(place)")
      }
    }
  }
}
