import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

/// The fused kernels, forward and backward, against the same functions made of primitives in double precision, on every
/// kernel table of this machine and on sizes off the vectors' width.
@Suite(.serialized) struct FusedGradientTests {
  struct Operation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let shapes: [[Int]]
    let function: @Sendable ([Tensor]) -> Tensor
  }

  static let operations: [Operation] =
    [
      .init(testDescription: "sigmoid", shapes: [[9, 37]]) { sigmoid($0[0]) },
      .init(testDescription: "silu", shapes: [[9, 37]]) { silu($0[0]) },
      .init(testDescription: "siluMultiply", shapes: [[9, 37], [9, 37]]) { siluMultiply($0[0], $0[1]) },
      .init(testDescription: "reluSquared", shapes: [[9, 37]]) { reluSquared($0[0]) },
      .init(testDescription: "softmax", shapes: [[9, 37]]) { softmax($0[0]) },
      .init(testDescription: "rmsNorm", shapes: [[41, 50], [50]]) { rmsNorm($0[0], weight: $0[1], epsilon: 1e-5) },
      .init(testDescription: "layerNorm", shapes: [[41, 50], [50], [50]]) {
        layerNorm($0[0], weight: $0[1], bias: $0[2])
      },
      .init(testDescription: "groupNorm", shapes: [[41, 60], [60], [60]]) {
        groupNorm($0[0], groups: 3, weight: $0[1], bias: $0[2], epsilon: 64e-5)
      },
      .init(testDescription: "lerp", shapes: [[41, 50], [41, 50], [50]]) { lerp($0[0], $0[1], mix: $0[2]) },
      .init(testDescription: "crossEntropy", shapes: [[7, 300]]) {
        crossEntropy(
          $0[0], targets: (0..<7).map { $0 * 41 % 300 }, weights: [1, 0, 1, 2, 0.5, 1, 0], labelSmoothing: 0.1)
      },
      .init(testDescription: "rotary", shapes: [[5, 24]]) { x in
        let angle = Tensor((0..<5 * 4).map { Float($0) * 0.3 }, shape: [5, 4]).cast(to: x[0].dtype)
        return rotary(x[0], cosine: cos(angle), sine: sin(angle), heads: 3, interleaved: true)
      },
      .init(testDescription: "attention", shapes: [[90, 40], [90, 20], [90, 20]]) {
        attention(query: $0[0], key: $0[1], value: $0[2], heads: 4, keyValueHeads: 2, spans: [0..<3, 3..<80, 80..<90])
      },
    ]
    + [16, 32, 64, 12].map { size in
      Operation(
        testDescription: "wkv5 of \(size)",
        shapes: [[11, 2 * size], [11, 2 * size], [11, 2 * size], [2 * size], [2 * size]]
      ) {
        wkv5(
          receptance: $0[0], key: $0[1], value: $0[2], logDecay: -exp($0[3]), bonus: $0[4], heads: 2,
          spans: [0..<6, 6..<7, 7..<11])
      }
    }

  @Test(arguments: operations) func equalPrimitivesInDoublePrecision(_ operation: Operation) {
    let before = (Parallel.width, Kernels.table)
    defer {
      Parallel.width = before.0
      _ = Kernels.select(before.1)
    }
    let inputs = operation.shapes.enumerated().map { place, shape in
      Tensor(TestData.noise(shape.reduce(1, *), seed: UInt64(place + 1)), shape: shape)
    }
    func run(_ inputs: [Tensor]) -> [Tensor] {
      let (value, gradients) = valueAndGradient(at: inputs) { x in
        let y = operation.function(x)
        return (y * Tensor(TestData.noise(y.count, seed: 77), shape: y.shape).cast(to: y.dtype)).sum()
      }
      return [value] + gradients
    }
    let exact = run(inputs.map { $0.cast(to: .float64) })
    Parallel.width = 1  // a table is chosen for one thread
    for table in 0...4 where Kernels.select(table) {
      for (place, pair) in zip(run(inputs), exact).enumerated() {
        let worst = zip(pair.0.doubleValues, pair.1.doubleValues).map { abs($0 - $1) - 1e-3 * abs($1) }.max() ?? 0
        #expect(worst <= 1e-5, "table \(table), \(place == 0 ? "value" : "gradient \(place - 1)"): off by \(worst)")
      }
    }
  }

  /// Through frozen weights the input's gradient is that of the values they stand for.
  @Test(arguments: WeightFormat.allCases) func gradientThroughFrozenWeights(format: WeightFormat) {
    let weight = PackedMatrix(format: format, outputs: 40, inputs: 64) { row, values in
      for (place, value) in TestData.noise(64, seed: UInt64(row + 5)).enumerated() { values[place] = value }
    }
    let x = Tensor(TestData.noise(3 * 64), shape: [3, 64]), g = Tensor(TestData.noise(3 * 40, seed: 9), shape: [3, 40])
    let variable = x.variable()
    let y = Linear(weight: weight)(variable)
    let found = gradients(of: y, withRespectTo: [variable], upstream: g)[0]
    let wanted = matmul(g, Tensor(weight.values, shape: [40, 64]))
    #expect(TestData.largestDifference(found.values, wanted.values) < 1e-4)
  }
}
