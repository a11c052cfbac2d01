import Foundation
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletProbes

struct GrokkingTests {
  @Test func operations() {
    for operation in ModularTask.Operation.allCases {
      let task = ModularTask(operation, modulus: 7, share: 0.5, random: RandomSource(seed: 1))
      #expect(Set(task.training).isDisjoint(with: task.test))
      #expect(task.training.count + task.test.count == task.pairs.count)
      for (a, b, answer) in task.pairs {
        switch operation {
        case .add: #expect((a + b) % 7 == answer)
        case .subtract: #expect((answer + b) % 7 == a)
        case .multiply: #expect(a * b % 7 == answer)
        case .divide: #expect(answer * b % 7 == a)
        case .quadratic: #expect((a * a + a * b + b * b) % 7 == answer)
        case .cubic: #expect((a * a * a + a * b) % 7 == answer)
        }
      }
    }
  }

  /// The shortcuts of the first layer against the same model written plainly, in double precision.
  @Test(arguments: [1, 2]) func logitsEqualAPlainTransformer(layers: Int) {
    let p = 11
    let model = GrokkingModel(modulus: p, layers: layers, width: 16, heads: 2, random: RandomSource(seed: 4))
    let pairs = [(0, 1, 0), (3, 9, 0), (10, 10, 0), (5, 2, 0)].map { (a: $0.0, b: $0.1, answer: $0.2) }
    let fast = model.logits(pairs)
    func double(_ x: Tensor) -> Tensor { x.cast(to: .float64) }
    for (row, pair) in pairs.enumerated() {
      var x = double(model.embedding).gatherRows([pair.a, pair.b, p]) + double(model.positions)
      for layer in model.layers {
        let mixed = attention(
          query: matmul(x, double(layer.query)), key: matmul(x, double(layer.key)),
          value: matmul(x, double(layer.value)),
          heads: 2, keyValueHeads: 2, spans: [0..<3])
        x = x + matmul(mixed, double(layer.output))
        x =
          x + matmul(relu(matmul(x, double(layer.up)) + double(layer.upBias)), double(layer.down))
          + double(layer.downBias)
      }
      let plain = matmul(x.rows(2..<3), double(model.unembedding)).values
      #expect(TestData.largestDifference(fast.rows(row..<row + 1).values, plain) < 1e-5)
    }
  }

  /// Three steps of each variant against PyTorch in double precision (`Scripts/make_grokking_fixture.py`), from the same
  /// parameters on the same pairs.
  @Test func variantsEqualTorch() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: TestData.fixtures + "/grokking.f64"))
    let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    let p = 7
    let fresh = GrokkingModel(modulus: p, layers: 1, width: 8, heads: 2, random: RandomSource(seed: 1))
    let shapes = fresh.parameters.map(\.value.shape)
    let size = shapes.reduce(0) { $0 + $1.reduce(1, *) }
    try #require(values.count == 6 * size)
    var place = 0
    let start = shapes.map { shape in
      let count = shape.reduce(1, *)
      defer { place += count }
      return Tensor(doubles: Array(values[place..<place + count]), shape: shape)
    }
    let model = fresh.replacingParameters(start)
    let task = ModularTask(
      .add, modulus: p, training: (0..<p * p).filter { (7 * $0 * $0 + 3 * $0 + 1) % 11 < 6 })
    for (number, change)
      in ([
        { _ in }, { $0.grokfastAmplification = 2 }, { $0.loss = .stablemax }, { $0.isOrthogonal = true },
        { ($0.isOrthogonal, $0.grokfastAmplification) = (true, 2) },
      ] as [(inout GrokkingSettings) -> Void]).enumerated()
    {
      var settings = GrokkingSettings()
      settings.learningRate = 0.01
      settings.weightDecay = 0.5
      change(&settings)
      var run = GrokkingRun(settings, task: task, model: model)
      for _ in 0..<3 { run.train() }
      let ours = run.model.parameters.flatMap { $0.value.doubleValues }
      let torch = values[(number + 1) * size..<(number + 2) * size]
      let difference = zip(ours, torch).map { abs($0 - $1) }.max() ?? .infinity
      #expect(difference < 1e-9, "variant \(number)")
      // The comparison could tell a variant from plain AdamW.
      let plain = zip(torch, values[size..<2 * size]).map { abs($0 - $1) }.max() ?? 0
      #expect(number == 0 || plain > 1e-4, "variant \(number)")
    }
  }

  @Test func variantsRun() throws {
    for change in [
      { $0.loss = .stablemax }, { $0.usesDoubleLoss = true }, { $0.grokfastAmplification = 2 },
      { $0.isOrthogonal = true }, { $0.layers = 2 },
    ] as [(inout GrokkingSettings) -> Void] {
      var settings = GrokkingSettings()
      settings.modulus = 13
      settings.width = 32
      settings.weightDecay = 0
      change(&settings)
      var run = try GrokkingRun(settings)
      run.evaluate()
      for _ in 0..<40 { run.train() }
      run.evaluate()
      #expect(run.points[1].trainingLoss < run.points[0].trainingLoss)
    }
  }
}
