import Foundation
import MartletCheckpoints
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

/// Three steps of a small RWKV-5.2 against torch in float64 (Scripts/make_training_fixture.py).
struct TrainingStepTests {
  @Test(arguments: [DType.float32, .float64]) func threeStepsEqualTorch(dtype: DType) throws {
    let fixture = try Checkpoint.open(TestData.fixtures + "/rwkv5-training.safetensors")
    var model = RWKV5(
      RWKV5Configuration(layers: 2, width: 32, headSize: 16, vocabularySize: 29), random: RandomSource(seed: 1))
    func values(_ prefix: String, _ name: String) throws -> [Float] { try fixture.tensor(prefix + name).floats() }
    model.visitParameters { name, tensor in
      guard let initial = try? values("init/", name) else {
        Issue.record("no init/\(name)")
        return
      }
      tensor = Tensor(initial, shape: tensor.shape).cast(to: dtype)
    }
    let ids = try withExtendedLifetime(fixture) {
      try fixture.tensor("ids").bytes.withMemoryRebound(to: Int32.self) { $0.map { Int(Int32(littleEndian: $0)) } }
    }
    let losses = fixture.metadata["losses"]?.string?.split(separator: " ").compactMap { Double($0) } ?? []
    let norms = fixture.metadata["norms"]?.string?.split(separator: " ").compactMap { Double($0) } ?? []
    let (batch, length) = (3, 12)
    let names = model.parameters.map(\.name)
    let groups = model.parameters.map {
      ParameterGroup.standard(
        $0.name, $0.value.shape, learningRateFactor: model.description.defaults.learningRateFactor(of: $0.name))
    }
    let schedule = LearningRateSchedule(shape: .cosine, warmup: 2, final: 0.1, steps: 10)
    var optimizer = Optimizer(OptimizerSettings(learningRate: 3e-3, weightDecay: 0.05, clip: 1))
    for step in 0..<3 {
      let rows = (0..<batch).map { (step * batch + $0) * (length + 1) }
      let inputs = rows.flatMap { ids[$0..<$0 + length] }, targets = rows.flatMap { ids[$0 + 1..<$0 + length + 1] }
      let spans = (0..<batch).map { $0 * length..<($0 + 1) * length }
      let template = model
      let (loss, gradients) = valueAndGradient(at: model.parameters.map(\.value)) { variables in
        var copy = template
        var place = 0
        copy.visitParameters { _, tensor in
          tensor = variables[place]
          place += 1
        }
        let logits = copy.logits(inputs, spans: spans, rows: nil, checkpointing: false)
        // L2Wrap shows in single precision's own kernel alone.
        guard dtype == .float64 else { return crossEntropy(logits, targets: targets, logitPenalty: 1e-4) }
        let top = logits.gathered(axis: 1, logits.argmax(axis: 1), shape: [logits.rows, 1])
        let penalty = (top * top.detached()).sum() * (1e-4 / Double(logits.rows))
        return crossEntropy(logits, targets: targets) + penalty - penalty.detached()
      }
      #expect(abs(loss.scalar - losses[step]) < (dtype == .float64 ? 1e-9 : 1e-5 * losses[step]))
      var parameters = model.parameters.map(\.value)
      let norm = optimizer.update(
        &parameters, gradients: gradients, groups: groups, learningRate: 3e-3 * schedule.share(at: step))
      #expect(abs(norm - norms[step]) < (dtype == .float64 ? 1e-9 : 1e-5) * norms[step])
      var place = 0
      model.visitParameters { _, tensor in
        tensor = parameters[place]
        place += 1
      }
      for (name, parameter) in zip(names, parameters) {
        let wanted = try values("step\(step + 1)/", name)
        let scale = wanted.map { abs($0) }.max() ?? 0
        let gap = TestData.largestDifference(parameter.values, wanted)
        // The fixture itself is rounded to single precision.
        #expect(gap <= 1e-5 * scale, "step \(step + 1), \(name): off by \(gap) of \(scale)")
      }
    }
  }
}
