import Foundation
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

  /// A tuned setting of the reference notes groks within a thousand steps; a resumed run ends with the same bits.
  @Test func memorisesThenGeneralises() throws {
    let scratch = try TestData.Scratch()
    var settings = GrokkingSettings()
    settings.modulus = 31
    settings.share = 0.6
    settings.learningRate = 3e-3
    settings.weightDecay = 2
    settings.steps = 2000
    var run = try GrokkingRun(settings)
    let folder = GrokkingFolder(scratch.file("run"))
    run.evaluate()
    while !run.isFinished {
      run.train()
      if run.step % 25 == 0 { run.evaluate() }
      if run.step == 100 {
        try folder.snapshot(run)
        try folder.save(run)
      }
    }
    let memorised = try #require(run.memorisedAt), generalised = try #require(run.generalisedAt)
    #expect(memorised < generalised)
    var resumed = try folder.load()
    #expect(resumed.step == 100)
    while resumed.step < run.step {
      resumed.train()
      if resumed.step % 25 == 0 { resumed.evaluate() }
    }
    #expect(resumed.points == run.points)
    try folder.snapshot(run)
    try folder.writeReport(run)
    let page = try String(contentsOfFile: scratch.file("run/grokking.html"), encoding: .utf8)
    #expect(page.contains("Progress measures") && !page.contains("http"))
    let keys = run.model.unembeddingSpectrum.keyFrequencies
    let last = run.model.progress(step: run.step, task: run.task, keys: keys)
    #expect(last.restrictedAccuracy > 0.99 && last.excludedLoss > 1)
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
