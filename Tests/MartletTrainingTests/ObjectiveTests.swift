import Foundation
import MartletData
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

/// Losses and gradients of the objectives against torch in float64 (Scripts/make_objective_fixtures.py).
struct ObjectiveTests {
  private let fixture: JSONValue
  private let classes: Int
  private let lengths, targets: [Int]

  init() throws {
    fixture = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: TestData.fixtures + "/objectives.json")))
    classes = try #require(fixture["classes"]?.integer)
    lengths = fixture["lengths"]?.array?.compactMap(\.integer) ?? []
    targets = fixture["targets"]?.array?.compactMap(\.integer) ?? []
  }

  private func numbers(_ key: String, in value: JSONValue? = nil) -> [Double] {
    (value ?? fixture)[key]?.array?.compactMap(\.number) ?? []
  }

  private var owners: [Int] { lengths.indices.flatMap { [Int](repeating: $0, count: lengths[$0]) } }

  /// The sums of the values of each completion, `[completions]`.
  private func sums(_ values: Tensor) -> Tensor {
    values.reshaped([values.count, 1]).scatterRows(owners, count: lengths.count).reshaped([lengths.count])
  }

  /// The loss of a case as a function of the logits.
  private func loss(_ item: JSONValue, _ logits: Tensor) throws -> Tensor {
    let dtype = logits.dtype
    func constant(_ key: String) -> Tensor { Tensor(doubles: numbers(key), dtype: dtype) }
    func number(_ key: String) -> Double { item[key]?.number ?? .nan }
    switch item["name"]?.string {
    case "log_probabilities": return (logProbabilities(logits, of: targets) * constant("upstream")).sum()
    case "sft": return crossEntropy(logits, targets: targets, weights: numbers("weights"))
    case "two_tasks":
      // Divided into two micro-batches, as a step may be.
      let tasks = fixture["tasks"]?.array?.compactMap(\.integer) ?? []
      var batches: [TrainingBatch] = [], start = 0
      for part in [[0, 1, 2], [3]] {
        var batch = TrainingBatch()
        for completion in part {
          let rows = start..<start + lengths[completion]
          batch.spans.append(batch.weights.count..<batch.weights.count + rows.count)
          batch.weights += numbers("weights")[rows].map { Float($0) }
          batch.targets += targets[rows]
          batch.tasks.append(tasks[completion])
          start = rows.upperBound
        }
        batches.append(batch)
      }
      let weighting = RowWeighting(batches, taskShares: numbers("shares", in: item))
      var row = 0
      let losses = batches.map { batch in
        defer { row += batch.targets.count }
        return crossEntropy(
          logits.rows(row..<row + batch.targets.count), targets: batch.targets, weights: weighting.weights(of: batch),
          total: weighting.total)
      }
      return losses[0] + losses[1]
    case "dpo":
      let objective = PreferenceObjective(beta: number("beta"), labelSmoothing: number("label_smoothing"))
      let policy = sums(logProbabilities(logits, of: targets)).reshaped([2, 2])
      let reference = sums(constant("reference")).reshaped([2, 2])
      func column(_ x: Tensor, _ index: Int) -> Tensor { x.gathered(axis: 1, [index, index], shape: [2, 1]) }
      let margins = objective.margins(
        chosen: column(policy, 0), rejected: column(policy, 1), referenceChosen: column(reference, 0),
        referenceRejected: column(reference, 1))
      return objective.losses(margins: margins).mean()
    case "grpo":
      let objective = GroupRelativeObjective(
        normalization: try #require(.init(rawValue: item["normalization"]?.string ?? "")),
        clipLow: number("clip_low"), clipHigh: number("clip_high"), klWeight: number("kl_weight"),
        dividesByDeviation: item["divides_by_deviation"]?.bool ?? true)
      let advantages = objective.advantages(rewards: numbers("rewards"))
      #expect(zip(advantages, numbers("advantages", in: item)).allSatisfy { abs($0 - $1) < 1e-12 })
      let weights = objective.tokenWeights(lengths: lengths, longest: fixture["longest"]?.integer ?? 0)
      return objective.loss(
        logProbabilities(logits, of: targets), old: constant("old"), reference: constant("reference"),
        advantages: owners.map { advantages[$0] }, weights: owners.map { weights[$0] })
    case "gkd":
      let objective = DistillationObjective(beta: number("beta"), temperature: number("temperature"))
      let teacher = Tensor(doubles: numbers("teacher"), shape: [targets.count, classes], dtype: dtype)
      let mask = Tensor(doubles: numbers("weights").map { $0 > 0 ? 1 : 0 }, dtype: dtype)
      return (objective.divergences(student: logits, teacher: teacher) * mask).sum() / mask.sum().scalar
    default:
      Issue.record("a case without a name that is known")
      return logits.sum()
    }
  }

  @Test(arguments: [(DType.float64, 1e-8), (.float32, 1e-5)])
  func lossesAndGradientsEqualTorch(dtype: DType, tolerance: Double) throws {
    let cases = fixture["cases"]?.array ?? []
    #expect(cases.count == 38)
    let logits = Tensor(doubles: numbers("logits"), shape: [targets.count, classes], dtype: dtype)
    for item in cases {
      let (value, gradients) = try valueAndGradient(at: [logits]) { try loss(item, $0[0]) }
      let wanted = try #require(item["loss"]?.number), gradient = numbers("gradient", in: item)
      #expect(gradient.count == logits.count)
      let gap = zip(gradients[0].doubleValues, gradient).map { abs($0 - $1) }.max() ?? .infinity
      #expect(
        abs(value.scalar - wanted) <= tolerance * max(1, abs(wanted)) && gap <= tolerance,
        "\(item.text.prefix(160)): the loss is off by \(value.scalar - wanted), the gradient by \(gap)")
    }
  }

  @Test func advantagesOfAGroup() {
    let objective = GroupRelativeObjective()
    #expect(objective.advantages(rewards: [1, 1, 1]) == [0, 0, 0])
    #expect(objective.advantages(rewards: [1]) == [0] && objective.advantages(rewards: []).isEmpty)
    let centred = GroupRelativeObjective(dividesByDeviation: false).advantages(rewards: [1, 0, 0, 0])
    #expect(centred == [0.75, -0.25, -0.25, -0.25])
  }

  /// The losses of micro-batches add up to that of the step, as the weights are those of the step.
  @Test(arguments: GroupRelativeObjective.Normalization.allCases)
  func partsOfAStepAddUp(normalization: GroupRelativeObjective.Normalization) {
    let objective = GroupRelativeObjective(normalization: normalization)
    let weights = objective.tokenWeights(lengths: [2, 0, 6], longest: 8)
    let sums = zip(weights, [2.0, 0, 6]).map { $0 * $1 }
    switch normalization {
    case .sequence: #expect(abs(sums[0] - 1 / 3.0) < 1e-15 && abs(sums[2] - 1 / 3.0) < 1e-15)
    case .token: #expect(abs(sums[0] - 0.25) < 1e-15 && abs(sums[2] - 0.75) < 1e-15)
    case .constant: #expect(abs(sums[0] - 2 / 24.0) < 1e-15 && abs(sums[2] - 6 / 24.0) < 1e-15)
    }
  }

  @Test func theDivergenceOfEqualDistributionsIsZero() {
    let logits = Tensor(doubles: numbers("logits"), shape: [targets.count, classes])
    for beta in [0, 0.3, 1] {
      let rows = DistillationObjective(beta: beta).divergences(student: logits, teacher: logits).doubleValues
      #expect(rows.count == targets.count && rows.allSatisfy { abs($0) < 1e-14 })
    }
  }
}
