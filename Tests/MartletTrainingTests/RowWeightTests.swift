import Foundation
import MartletModels
import MartletOptimization
import MartletTensor
import Testing

@testable import MartletTraining

/// Weights of examples, tasks with shares, and groups that stay together.
struct RowWeightTests {
  private let model = RWKV5(
    RWKV5Configuration(layers: 1, width: 32, headSize: 16, vocabularySize: 29), random: RandomSource(seed: 1))

  private func settings(_ shares: [Double]? = nil, accumulation: Int = 1) -> TrainingSettings {
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(learningRate: 1e-3),
      schedule: LearningRateSchedule(shape: .constant, warmup: 0, final: 1, steps: 9), steps: 9, batch: 4, context: 64)
    settings.taskShares = shares
    settings.accumulation = accumulation
    return settings
  }

  /// The losses of the tokens of an example, in double precision, from the logits.
  private func losses(_ ids: [Int]) -> [Double] {
    let logits = model.logits(Array(ids.dropLast()), spans: [0..<ids.count - 1], rows: nil, checkpointing: false)
    return zip(logits.cast(to: .float64).doubleRows, ids.dropFirst()).map { row, target in
      log(row.reduce(0) { $0 + exp($1) }) - row[target]
    }
  }

  @Test func aWeightedStepHasTheWeightedMeanOfItsRows() throws {
    let examples: [(ids: [Int], weight: Float)] = [([1, 2, 3, 4], 1), ([5, 6, 7], 3), ([8, 9, 8, 9, 8], 0)]
    var data = TrainingData()
    for example in examples { data.append(example.ids, weight: example.weight) }
    var trainer = try Trainer(model, settings: settings(), training: data, validation: data)
    let rows = examples.flatMap { example in losses(example.ids).map { ($0, Double(example.weight)) } }
    let wanted = rows.reduce(0) { $0 + $1.0 * $1.1 } / rows.reduce(0) { $0 + $1.1 }
    #expect(abs((trainer.validate() ?? 0) - wanted) < 1e-5)
    let step = try trainer.train()
    #expect(abs(step.loss - wanted) < 1e-5 && step.countedRows == 5 && step.rows == 9)
  }

  /// The same share of the loss, however the rows are divided into micro-batches.
  @Test(arguments: [1, 3]) func twoTasksHaveTheirSharesOfTheLoss(accumulation: Int) throws {
    let labels = [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
      rationales = [[1, 9, 8, 7, 6, 5, 4], [4, 2, 2, 2], [7, 1, 2, 3, 4]]
    var data = TrainingData()
    for (label, rationale) in zip(labels, rationales) {
      data.append(label, counts: [false, false, true])
      data.append(rationale, task: 1, joinsPrevious: true)
    }
    #expect(data.groups == [0..<2, 2..<4, 4..<6])
    var settings = settings([0.25, 0.75], accumulation: accumulation)
    if accumulation > 1 { (settings.batch, settings.context) = (1, 3) }  // one group a micro-batch
    var trainer = try Trainer(model, settings: settings, training: data, validation: data)
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let wanted = 0.25 * mean(labels.map { losses($0)[1] }) + 0.75 * mean(rationales.flatMap { losses($0) })
    #expect(abs((trainer.validate() ?? 0) - wanted) < 1e-5)
    let step = try trainer.train()
    #expect(abs(step.loss - wanted) < 1e-5 && step.countedRows == 3 + 13)
  }

  @Test func groupsStayTogetherAndDataWithoutThemIsDealtAsBefore() throws {
    var data = TrainingData()
    for number in 0..<20 {
      data.append([number, number + 1, number + 2])
      data.append([number, 1, 1, 1], task: 1, joinsPrevious: true)
    }
    var sampler = BatchSampler(data, seed: 5), seen: [Int] = []
    while sampler.position.epoch == 0, sampler.position.dealt < 20 {
      let batch = sampler.next(rows: 11, wraps: false)
      #expect(batch.tasks == (0..<batch.spans.count).map { $0 % 2 } && batch.inputs.count <= 11)
      for pair in stride(from: 0, to: batch.spans.count, by: 2) {
        #expect(batch.inputs[batch.spans[pair].lowerBound] == batch.inputs[batch.spans[pair + 1].lowerBound])
        seen.append(batch.inputs[batch.spans[pair].lowerBound])
      }
    }
    #expect(seen.sorted() == Array(0..<20))
    let (training, validation) = data.split(validation: 0.1)
    #expect(training.examples.count == 36 && validation.examples.count == 4)
    #expect(validation.groups == [0..<2, 2..<4] && validation.tasks == [0, 1, 0, 1])
    var joined = training
    joined.append(validation)
    #expect(joined.groups == data.groups && joined.fingerprint != training.fingerprint)
  }

  @Test func theFingerprintTellsWeightsTasksAndGroups() {
    func data(_ weight: Float = 1, _ task: Int = 0, joined: Bool = false) -> TrainingData {
      var data = TrainingData()
      data.append([1, 2])
      data.append([3, 4], weight: weight, task: task, joinsPrevious: joined)
      return data
    }
    #expect(Set([data(), data(2), data(1, 1), data(joined: true), data(2, 1)].map(\.fingerprint)).count == 5)
  }

  @Test func sharesThatDoNotFitAreRefused() {
    var data = TrainingData()
    data.append([1, 2, 3], task: 1)
    for shares in [[1.0], [0, 0], [1, -1], [.nan, 1]] {
      #expect(throws: TrainingError.self) {
        try Trainer(model, settings: settings(shares), training: data, validation: TrainingData())
      }
    }
  }

  /// Nothing counts, so nothing changes.
  @Test func aStepInWhichNoRowCountsChangesNothing() throws {
    var data = TrainingData()
    data.append([1, 2, 3], weight: 0)
    var trainer = try Trainer(model, settings: settings(), training: data, validation: data)
    let step = try trainer.train()
    #expect(step.loss == 0 && step.countedRows == 0 && trainer.validate() == nil)
  }
}

extension Tensor {
  fileprivate var doubleRows: [[Double]] {
    let values = doubleValues
    return (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
  }
}
