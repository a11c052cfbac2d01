import Foundation
import MartletCheckpoints
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

/// RWKV's tuned start states: gradients against torch in float64 (Scripts/make_state_fixture.py), files, and training of
/// models that carry some.
struct StartStateTests {
  private static func fixture(_ dtype: DType) throws -> (model: RWKV5, ids: [Int], file: Checkpoint) {
    let training = try Checkpoint.open(TestData.fixtures + "/rwkv5-training.safetensors")
    let file = try Checkpoint.open(TestData.fixtures + "/rwkv5-state.safetensors")
    var model = RWKV5(
      RWKV5Configuration(layers: 2, width: 32, headSize: 16, vocabularySize: 29), random: RandomSource(seed: 1))
    try model.addStartStates()
    var problem: (any Error)?
    model.visitParameters { name, tensor in
      do {
        let isState = name.hasSuffix("time_state")
        let values = try (isState ? file : training).tensor((isState ? "start/" : "init/") + name).floats()
        tensor = Tensor(values, shape: tensor.shape).cast(to: dtype)
      } catch { problem = error }
    }
    if let problem { throw problem }
    let ids = try withExtendedLifetime(training) {
      try training.tensor("ids").bytes.withMemoryRebound(to: Int32.self) { $0.map { Int(Int32(littleEndian: $0)) } }
    }
    return (model, ids, file)
  }

  private static let (batch, length) = (3, 12)

  private static func loss(_ model: RWKV5, _ ids: [Int], step: Int, checkpointing: Bool = false) -> Tensor {
    let rows = (0..<batch).map { (step * batch + $0) * (length + 1) }
    return crossEntropy(
      model.logits(
        rows.flatMap { ids[$0..<$0 + length] }, spans: (0..<batch).map { $0 * length..<($0 + 1) * length }, rows: nil,
        checkpointing: checkpointing), targets: rows.flatMap { ids[$0 + 1..<$0 + length + 1] })
  }

  private static func with(_ model: RWKV5, _ values: [Tensor], _ isWanted: (String) -> Bool) -> RWKV5 {
    var copy = model, place = 0
    copy.visitParameters { name, tensor in
      guard isWanted(name) else { return }
      tensor = values[place]
      place += 1
    }
    return copy
  }

  @Test(arguments: [DType.float64, .float32], [false, true])
  func gradientsEqualTorch(dtype: DType, checkpointing: Bool) throws {
    let (model, ids, file) = try Self.fixture(dtype)
    let parts = ["time_state", "time_decay", "time_faaaa", "att.receptance.weight"]
    let isWanted = { (name: String) in parts.contains { name.hasSuffix($0) } }
    let wanted = model.parameters.filter { isWanted($0.name) }
    #expect(wanted.count == 8)
    let losses = file.metadata["losses"]?.string?.split(separator: " ").compactMap { Double($0) } ?? []
    let (loss, gradients) = valueAndGradient(at: wanted.map(\.value)) {
      Self.loss(Self.with(model, $0, isWanted), ids, step: 0, checkpointing: checkpointing)
    }
    #expect(abs(loss.scalar - losses[0]) < (dtype == .float64 ? 1e-9 : 1e-5))
    for (parameter, gradient) in zip(wanted, gradients) {
      let truth = try file.tensor("gradient/" + parameter.name).floats()
      let scale = truth.map { abs($0) }.max() ?? 0
      #expect(scale > 1e-4)
      // The fixture itself is rounded to single precision.
      let gap = TestData.largestDifference(gradient.values, truth)
      #expect(gap <= (dtype == .float64 ? 2e-7 : 2e-5) * scale, "\(parameter.name): off by \(gap) of \(scale)")
    }
  }

  @Test(arguments: [DType.float64, .float32]) func threeStepsEqualTorch(dtype: DType) throws {
    var (model, ids, file) = try Self.fixture(dtype)
    let isState = { (name: String) in name.hasSuffix("time_state") }
    let losses = file.metadata["losses"]?.string?.split(separator: " ").compactMap { Double($0) } ?? []
    var optimizer = Optimizer(OptimizerSettings(method: .adam, learningRate: 0.1, clip: nil))
    for step in 0..<3 {
      var states = model.parameters.filter { isState($0.name) }.map(\.value)
      let (loss, gradients) = valueAndGradient(at: states) {
        Self.loss(Self.with(model, $0, isState), ids, step: step)
      }
      #expect(abs(loss.scalar - losses[step]) < (dtype == .float64 ? 1e-8 : 1e-5))
      optimizer.update(&states, gradients: gradients)
      model = Self.with(model, states, isState)
    }
    for (name, state) in model.parameters where isState(name) {
      let truth = try file.tensor("step3/" + name).floats()
      #expect(TestData.largestDifference(state.values, truth) < 2e-5, "\(name)")
    }
  }

  private static func logits(_ model: any LanguageModel, _ ids: [Int], _ state: (any SequenceState)? = nil) -> [Float] {
    model.forward(Batch(ids, state: state ?? model.makeState(), outputs: .all)).values
  }
  private static func trainingLogits(_ model: any TrainableModel, _ ids: [Int]) -> [Float] {
    // Two sequences: each begins from the state anew.
    let logits = model.logits(
      ids + ids, spans: [0..<ids.count, ids.count..<2 * ids.count], rows: nil, checkpointing: false)
    return logits.rows(ids.count..<2 * ids.count).values
  }

  /// Files that other programs wrote, in each of their layouts, frozen and trainable.
  @Test(
    .enabled(if: TestData.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["with-state.pth", "ai00-with-state.st"]) func modelsThatCarryStatesAreTrainedWithThem(name: String)
    throws
  {
    let cases = try #require(TestData.cases)
    let ids = [5, 17, 250, 3, 99, 1, 64]
    let base = try ModelLoading.load(Checkpoint.open(cases + "/rwkv/base.pth"))
    for frozen in [true, false] {
      let model = try ModelLoading.loadTrainable(Checkpoint.open(cases + "/rwkv/" + name), frozen: frozen)
      let own = Self.logits(try ModelLoading.load(Checkpoint.open(cases + "/rwkv/" + name)), ids)
      let truth = Self.logits(try ModelLoading.load(Checkpoint.open(cases + "/rwkv/with-state.pth")), ids)
      // Inference rounds the normalised embedding to the file's own type, as BlinkDL's code does; training does not.
      #expect(TestData.largestDifference(Self.trainingLogits(model, ids), own) < 5e-3, "\(frozen)")
      // One of the files is rounded to half precision.
      #expect(TestData.largestDifference(own, truth) < 1e-2, "\(frozen)")
      #expect(TestData.largestDifference(Self.logits(base, ids), truth) > 0.1)
    }
    // Everything trained is written, the states too.
    let scratch = try TestData.Scratch()
    let model = try ModelLoading.loadTrainable(Checkpoint.open(cases + "/rwkv/" + name), frozen: false)
    for file in ["m.safetensors", "m.pth"] {
      try ModelExport.write(model, to: scratch.file(file))
      let again = try ModelLoading.load(Checkpoint.open(scratch.file(file)))
      #expect(TestData.largestDifference(Self.logits(again, ids), Self.logits(model, ids)) < 1e-5, "\(file)")
    }
  }

  @Test func tunedStatesLearnAloneAndAreRead() throws {
    let scratch = try TestData.Scratch()
    let (whole, training) = try TrainingRunTests.trainer()
    var model = try #require(whole.model as? RWKV5)
    // A fresh model says nothing of what it reads: its outputs are zeros.
    model.visitParameters { name, tensor in
      if name.hasSuffix("att.output.weight") {
        tensor = Tensor(TestData.noise(tensor.count, seed: 3).map { $0 * 0.3 }, shape: tensor.shape)
      }
    }
    model.prepareForInference()
    try ModelExport.write(model, to: scratch.file("base.safetensors"))
    var frozen = try #require(
      try ModelLoading.loadTrainable(Checkpoint.open(scratch.file("base.safetensors")), frozen: true) as? RWKV5)
    let ids = Array("the quick".utf8).map { Int($0) }
    let untouched = Self.logits(frozen, ids)
    try frozen.addStartStates()
    #expect(Self.logits(frozen, ids) == untouched && frozen.hasStartStates)
    var settings = whole.settings
    settings.tunesStartStates = true
    settings.optimizer.learningRate = 0.3
    settings.steps = 20
    var trainer = try Trainer(frozen, settings: settings, training: training, validation: TrainingData())
    #expect(trainer.trainedParameters.map(\.name) == (0..<2).map { "blocks.\($0).att.time_state" })
    let other = frozen.parameters.filter { !$0.name.hasSuffix("time_state") }
    for _ in 0..<20 { _ = try trainer.train() }
    let gain = try #require(trainer.gain(over: training))
    #expect(gain.after < gain.before - 0.05, "\(gain)")
    for ((name, value), old) in zip(trainer.model.parameters.filter { !$0.name.hasSuffix("time_state") }, other) {
      #expect(name == old.name && value.values == old.value.values)
    }
    let tuned = Self.trainingLogits(trainer.model, ids)
    #expect(TestData.largestDifference(Self.logits(trainer.model, ids), tuned) < 1e-4)
    try StartStateFile.write(trainer.model, to: scratch.path)
    let loaded = try LoadedModel.load(scratch.file("base.safetensors"))
    for name in ["state.pth", "state.st"] {
      let state = try loaded.readState(path: scratch.file(name))
      #expect(TestData.largestDifference(Self.logits(loaded.model, ids, state), tuned) < 1e-4, "\(name)")
      // It is where tuning can go on.
      var again = try #require(loaded.model as? RWKV5)
      try again.addStartStates(from: Checkpoint.open(scratch.file(name)))
      #expect(TestData.largestDifference(Self.logits(again, ids), tuned) < 1e-4, "\(name)")
    }
    // The layouts: [head][value][key] and [head][key][value].
    let (pth, st) = (try Checkpoint.open(scratch.file("state.pth")), try Checkpoint.open(scratch.file("state.st")))
    for layer in 0..<2 {
      let name = "blocks.\(layer).att.time_state"
      #expect(try pth.tensor(name).shape == [2, 16, 16])
      let values = Tensor(try pth.tensor(name).floats(), shape: [2, 16, 16])
      #expect(try st.tensor(name).floats() == values.permuted([0, 2, 1]).values)
    }
  }
}
