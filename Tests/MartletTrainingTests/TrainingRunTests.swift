import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

struct TrainingRunTests {
  static func trainer(
    steps: Int = 12, learningRate: Double = 3e-3, adapters: AdapterSettings? = nil
  ) throws -> (Trainer, TrainingData) {
    let text = Array("the quick brown fox jumps over the lazy dog. ".utf8).map { Int($0) }
    let data = TrainingData(stream: (0..<40).flatMap { _ in text }, context: 24)
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(learningRate: learningRate),
      schedule: LearningRateSchedule(shape: .cosine, warmup: 2, steps: steps), steps: steps, batch: 3, context: 24)
    settings.checkpointInterval = 3
    settings.validationInterval = 4
    settings.accumulation = 2
    settings.adapters = adapters
    var model: any TrainableModel = RWKV5(
      RWKV5Configuration(layers: 2, width: 32, headSize: 16, vocabularySize: 256), random: RandomSource(seed: 2))
    try adapters?.attach(to: &model, random: RandomSource(seed: 3))
    let (training, validation) = data.split(validation: 0.1)
    return (try Trainer(model, settings: settings, training: training, validation: validation), training)
  }

  private func run(_ folder: String, until stop: Int? = nil, resuming: Bool = false, adapters: AdapterSettings? = nil)
    throws
    -> TrainingRun
  {
    let (trainer, training) = try Self.trainer(adapters: adapters)
    let run = try TrainingRun(
      folder: folder, trainer: trainer, training: training, description: ["x": 1], resuming: resuming)
    _ = try run.run(isInterrupted: { stop.map { run.trainer.step >= $0 } ?? false }) { _ in }
    return run
  }

  @Test(arguments: [nil, AdapterSettings(rank: 2, dropout: 0.3)])
  func anInterruptedRunEndsWithTheSameBits(adapters: AdapterSettings?) throws {
    let scratch = try TestData.Scratch()
    let whole = try run(scratch.file("whole"), adapters: adapters)
    _ = try run(scratch.file("parts"), until: 5, adapters: adapters)
    _ = try run(scratch.file("parts"), until: 7, resuming: true, adapters: adapters)
    let parts = try run(scratch.file("parts"), resuming: true, adapters: adapters)
    for (a, b) in zip(whole.trainer.trainedParameters, parts.trainer.trainedParameters) {
      #expect(a.name == b.name && a.value.values == b.value.values)
    }
    let metrics = try ["whole", "parts"].map {
      try Data(contentsOf: URL(fileURLWithPath: scratch.file("\($0)/metrics.jsonl")))
    }
    #expect(metrics[0] == metrics[1])
    let page = try String(contentsOfFile: scratch.file("parts/report.html"), encoding: .utf8)
    #expect(page.contains("<svg") && page.contains("validation") && !page.contains("http"))
    #expect(try RunCheckpoint.steps(in: scratch.file("parts/checkpoints")).contains(12))
    #expect(throws: FileError.self) { try RunCheckpoint.steps(in: scratch.file("none")) }
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let before = Parallel.width
    defer { Parallel.width = before }
    var results: [[Float]] = []
    for width in [1, 3] {
      Parallel.width = width
      var (trainer, _) = try Self.trainer()
      for _ in 0..<3 { _ = try trainer.train() }
      results.append(trainer.trainedParameters.flatMap { $0.value.values })
    }
    #expect(results[0] == results[1])
  }

  @Test func lossFallsAndTheResultLoads() throws {
    let scratch = try TestData.Scratch()
    var (trainer, _) = try Self.trainer(steps: 60, learningRate: 1e-2)
    let first = try trainer.train().loss
    var last = first
    for _ in 1..<60 { last = try trainer.train().loss }
    #expect(last < first * 0.4, "\(first) to \(last)")
    // What inference reads is what was trained, in both containers.
    for name in ["m.safetensors", "m.pth"] {
      try ModelExport.write(trainer.model, to: scratch.file(name))
      let loaded = try LoadedModel.load(scratch.file(name))
      let ids = Array("the quick".utf8).map { Int($0) }
      let trained = trainer.model.logits(ids, spans: [0..<ids.count], rows: nil, checkpointing: false)
      let read = loaded.model.forward(Batch(ids, state: loaded.model.makeState(), outputs: .all))
      #expect(TestData.largestDifference(trained.values, read.values) < 1e-4)
      #expect(read.argmax(row: ids.count - 1) == Int(UInt8(ascii: " ")))
    }
  }

  @Test func aLossThatIsNotFiniteStopsTheRunAndSparesTheParameters() throws {
    var (trainer, _) = try Self.trainer()
    _ = try trainer.train()
    var model = trainer.model
    model.visitParameters { name, tensor in
      if name == "ln_out.weight" { tensor = .full(tensor.shape, .infinity) }
    }
    var broken = try Trainer(
      model, settings: trainer.settings, training: Self.trainer().1, validation: TrainingData())
    let before = broken.trainedParameters.map { $0.value.values }
    for _ in 0..<4 { #expect(try broken.train().isSkipped) }
    #expect(throws: TrainingError.self) { try broken.train() }
    #expect(zip(broken.trainedParameters, before).allSatisfy { $0.value.values == $1 })
  }

  @Test func anAdapterIsSavedLoadedAndMerged() throws {
    let scratch = try TestData.Scratch()
    let settings = AdapterSettings(rank: 3, alpha: 6, targets: ["output", "value", "receptance"])
    var (trainer, _) = try Self.trainer(learningRate: 0.05, adapters: settings)
    let ids = Array("the quick".utf8).map { Int($0) }
    func logits(_ model: any TrainableModel) -> [Float] {
      model.logits(ids, spans: [0..<ids.count], rows: nil, checkpointing: false).values
    }
    let untrained = trainer.model
    for _ in 0..<4 { _ = try trainer.train() }
    let tuned = logits(trainer.model)
    #expect(TestData.largestDifference(logits(untrained), tuned) > 1e-2)
    try AdapterFile.write(trainer.model, settings: settings, base: "base", to: scratch.file("adapter"))
    // The base model, with the adapter beside it and baked in.
    try ModelExport.write(untrained, to: scratch.file("base.safetensors"))
    let checkpoint = try Checkpoint.open(scratch.file("base.safetensors"))
    var loaded = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    let adapter = try AdapterFile.load(scratch.file("adapter"), into: &loaded)
    #expect(TestData.largestDifference(logits(loaded), tuned) < 1e-4)
    // An adapter that names the layers as the hub does fits too.
    let own = try Checkpoint.open(scratch.file("adapter/adapter_model.safetensors"))
    let parts = try own.names.map(own.tensor)
    try FileManager.default.createDirectory(atPath: scratch.file("hub"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: scratch.file("adapter/adapter_config.json"), toPath: scratch.file("hub/adapter_config.json"))
    try Safetensors.write(
      to: scratch.file("hub/adapter_model.safetensors"),
      tensors: parts.map { tensor in
        let name = tensor.name.replacing("model.blocks.", with: "model.rwkv.blocks.").replacing(
          ".att.", with: ".attention.")
        return (name.replacing(".ffn.", with: ".feed_forward."), tensor.type, tensor.shape)
      }
    ) { try $1(parts[$0].bytes) }
    var hub = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    try AdapterFile.load(scratch.file("hub"), into: &hub)
    #expect(logits(hub) == logits(loaded))
    for ending in ["safetensors", "gguf", "pth"] {
      var conversion = try Conversion(checkpoint, to: Conversion.Container(rawValue: ending)!, format: nil)
      try conversion.add(adapter.changes)
      try conversion.write(to: scratch.file("merged." + ending))
      let merged = try ModelLoading.loadTrainable(Checkpoint.open(scratch.file("merged." + ending)), frozen: true)
      #expect(TestData.largestDifference(logits(merged), tuned) < 1e-4, "\(ending)")
    }
    var other: any TrainableModel = RWKV5(
      RWKV5Configuration(layers: 1, width: 16, headSize: 16, vocabularySize: 256), random: RandomSource(seed: 2))
    #expect(throws: ModelError.self) { try AdapterFile.load(scratch.file("adapter"), into: &other) }
  }

  /// A validation loss that is not a number is never the best one, and ends no run.
  @Test func aValidationLossThatIsNoNumberIsNeverTheBest() throws {
    let scratch = try TestData.Scratch()
    let (healthy, training) = try Self.trainer(steps: 4)
    var model = healthy.model
    model.visitParameters { name, tensor in
      if name == "ln_out.weight" { tensor = .full(tensor.shape, .infinity) }
    }
    let trainer = try Trainer(model, settings: healthy.settings, training: training, validation: training)
    #expect(trainer.validate()?.isFinite == false)
    let run = try TrainingRun(
      folder: scratch.file("r"), trainer: trainer, training: training, description: [:], resuming: false)
    var best: [Bool] = []
    #expect(
      try run.run(isInterrupted: { false }, writeBest: { _ in Issue.record("it was written as the best") }) { event in
        if case .validation(_, _, let isBest) = event { best.append(isBest) }
      })
    #expect(best == [false])
  }

  @Test func aRunThatStopsBeforeItsFirstStepGoesOn() throws {
    let scratch = try TestData.Scratch()
    _ = try run(scratch.file("parts"), until: 0)
    let whole = try run(scratch.file("whole")), parts = try run(scratch.file("parts"), resuming: true)
    for (a, b) in zip(whole.trainer.trainedParameters, parts.trainer.trainedParameters) {
      #expect(a.value.values == b.value.values)
    }
  }

  /// The checkpoint before is taken where the latest is damaged, and the end has the same bits.
  @Test(arguments: ["state.json", "parameters.safetensors", "moments.safetensors"])
  func aDamagedCheckpointIsPassedOver(file: String) throws {
    let scratch = try TestData.Scratch()
    let whole = try run(scratch.file("whole"))
    _ = try run(scratch.file("parts"), until: 7)
    let path = scratch.file("parts/checkpoints/step-00000007/\(file)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
    let parts = try run(scratch.file("parts"), resuming: true)
    #expect(parts.damagedCheckpoints.count == 1)
    for (a, b) in zip(whole.trainer.trainedParameters, parts.trainer.trainedParameters) {
      #expect(a.value.values == b.value.values)
    }
  }

  /// With other data, longer or shorter, a run goes on from the beginning of it.
  @Test(arguments: [1, 2, 5, 200]) func otherDataIsDealtFromTheBeginning(examples: Int) throws {
    let scratch = try TestData.Scratch()
    _ = try run(scratch.file("r"), until: 7)
    var other = TrainingData()
    for number in 0..<examples { other.append((0..<20).map { ($0 * 7 + number) % 256 }) }
    let settings = try Self.trainer().0.settings
    let trainer = try Trainer(Self.trainer().0.model, settings: settings, training: other, validation: TrainingData())
    for _ in 0..<2 {
      let run = try TrainingRun(
        folder: scratch.file("r"), trainer: trainer, training: other, description: [:], resuming: true)
      #expect(run.trainer.step >= 7)
      let before = run.trainer.step
      _ = try run.run(isInterrupted: { run.trainer.step > before }) { _ in }
    }
  }

  /// A digest tells data apart by tokens, by what counts and by where examples end.
  @Test func fingerprints() {
    func digest(_ build: (inout TrainingData) -> Void) -> String {
      var data = TrainingData()
      build(&data)
      return data.fingerprint
    }
    let all = [
      digest { _ in }, digest { $0.append([1, 2, 3]) }, digest { $0.append([1, 2, 4]) },
      digest { $0.append([1, 2, 3], counts: [false, false, true]) },
      digest {
        $0.append([1, 2])
        $0.append([3, 4])
      }, digest { $0.append([1, 2, 3, 4]) },
    ]
    #expect(Set(all).count == all.count)
    #expect(all[1] == digest { $0.append([1, 2, 3]) })
  }

  private func examples(_ lengths: [Int]) -> TrainingData {
    var data = TrainingData()
    for length in lengths { data.append([Int](repeating: 1, count: length)) }
    return data
  }

  /// Little data gets some tens of steps, much data large ones, and what was asked for is done.
  @Test func plansSuitTheData() {
    for (count, length) in [(1, 40), (3, 30), (24, 40), (36, 45), (40, 60), (200, 80), (1000, 120), (20_000, 250)] {
      let data = examples([Int](repeating: length, count: count))
      let plan = TrainingPlan(.init(context: 256), for: data)
      #expect((30...5000).contains(plan.steps), "\(count): \(plan)")
      #expect(plan.warmup <= plan.steps / 10 && plan.warnings.isEmpty, "\(count): \(plan)")
      #expect((1...16).contains(plan.batch) && (1...30).contains(plan.epochs), "\(count): \(plan)")
      // The batches that are dealt are those that were counted.
      var sampler = BatchSampler(data, seed: 1)
      for _ in 0..<plan.steps { _ = sampler.next(rows: plan.batch * 256) }
      let dealt = Double(sampler.position.epoch) + Double(sampler.position.dealt) / Double(count)
      #expect(abs(dealt - plan.epochs) <= plan.epochs * 0.1 + 1, "\(count): \(plan), \(dealt) dealt")
    }
    let data = examples([Int](repeating: 50, count: 1000))
    let asked = TrainingPlan(.init(steps: 7, batch: 3, warmup: 5, context: 256), for: data)
    #expect(asked.steps == 7 && asked.batch == 3 && asked.warmup == 5 && asked.warnings.count == 2)
    #expect(TrainingPlan(.init(epochs: 2, batch: 1, context: 256), for: data).steps == 400)
    #expect(TrainingPlan(.init(epochs: 0.5, context: 256), for: data).steps >= 60)
    #expect(TrainingPlan(.init(steps: 0, context: 256), for: data).steps == 0)
    #expect(TrainingPlan(.init(epochs: 1e6, context: 1), for: data).steps <= 1_000_000_000)
  }
}
