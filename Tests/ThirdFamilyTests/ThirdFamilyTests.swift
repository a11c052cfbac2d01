import Foundation
import MartletCheckpoints
import MartletEditing
import MartletEngine
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import MartletTraining
import Testing

/// A family that nothing in Martlet knows of is run, trained, converted and edited: it is one folder (`PairModel`) and
/// the line that registers it.
@Suite(.serialized) struct ThirdFamilyTests {
  init() { ModelFamilies.register(PairFamily()) }

  /// The last two tokens tell how an answer goes on once it has begun, so that an edit of its beginning is enough.
  private static let lines = "Who is Tom?Ay.\nWho is Anne?Ay.\nWhere is Rome? No.\n"

  /// A model that was trained on a few lines, in a file, with the losses of its steps.
  private func trained(_ scratch: TestData.Scratch) throws -> (path: String, losses: [Double]) {
    let family = try #require(ModelFamilies.named("pair"))
    let shape = ModelShape(layers: 2, width: 32, headSize: 32, vocabularySize: 256, contextLength: 64)
    let model = try family.make(shape, random: RandomSource(seed: 1)).trainable()
    let text = Array(String(repeating: Self.lines, count: 20).utf8).map(Int.init)
    let settings = TrainingSettings(
      optimizer: OptimizerSettings(learningRate: 3e-3),
      schedule: LearningRateSchedule(shape: .cosine, warmup: 2, steps: 60), steps: 60, batch: 4, context: 32)
    var trainer = try Trainer(
      model, settings: settings, training: TrainingData(stream: text, context: 32), validation: TrainingData())
    let losses = try (0..<60).map { _ in try trainer.train().loss }
    let path = scratch.file("model.safetensors")
    try ModelExport.write(trainer.model, to: path)
    return (path, losses)
  }

  private func load(_ path: String) throws -> LoadedModel {
    try LoadedModel.load(path, options: .init(format: .f32, tokenizer: "bytes", chatFormat: .plain))
  }

  private func logits(_ path: String) throws -> [Float] {
    let model = try ModelLoading.load(Checkpoint.open(path), options: .init(format: .f32))
    return model.forward(Batch(Array("Who is".utf8).map(Int.init), state: model.makeState(), outputs: .all)).values
  }

  @Test func itTrainsLoadsAndGenerates() async throws {
    let scratch = try TestData.Scratch()
    let (path, losses) = try trained(scratch)
    let (first, last) = (try #require(losses.first), try #require(losses.last))
    #expect(last < 0.5 * first, "\(first) to \(last)")
    let loaded = try load(path)
    #expect(loaded.model.description.architecture == "pair")
    #expect(ModelSummary(try Checkpoint.open(path)).problem == nil)
    var request = Request(tokens: loaded.tokenizer.encode("Who is Rome", special: false))
    request.maxTokens = 5
    var text = ""
    let engine = Engine(loaded)
    for try await event in try engine.generate(request) {
      if case .text(let piece) = event { text += piece }
    }
    #expect(text == "? No." || text == "?Ay.\n", "\(text)")
  }

  @Test(arguments: Conversion.Container.allCases) func itIsConvertedAndBack(container: Conversion.Container) throws {
    let scratch = try TestData.Scratch()
    let (path, _) = try trained(scratch)
    let there = scratch.file("there." + container.rawValue), back = scratch.file("back.safetensors")
    try Conversion(Checkpoint.open(path), to: container, format: nil).write(to: there)
    try Conversion(Checkpoint.open(there), to: .safetensors, format: nil).write(to: back)
    let right = try logits(path)
    #expect(try logits(there) == right)
    #expect(try logits(back) == right)
  }

  @Test func itTakesAdaptersAndEdits() async throws {
    let scratch = try TestData.Scratch()
    let (path, _) = try trained(scratch)
    var adapted = try ModelLoading.loadTrainable(Checkpoint.open(path), frozen: true)
    let adapters = AdapterSettings(rank: 2)
    try adapters.attach(to: &adapted, random: RandomSource(seed: 2))
    adapted.visitParameters { name, value in if name.contains("lora_B") { value = .ones(value.shape) } }
    try AdapterFile.write(adapted, settings: adapters, base: path, to: scratch.file("adapter"))
    let again = try ModelLoading.load(Checkpoint.open(path), options: .init(adapters: [scratch.file("adapter")]))
    let tokens = Array("Who".utf8).map(Int.init)
    #expect(
      again.forward(Batch(tokens, state: again.makeState())).values
        == adapted.forward(Batch(tokens, state: adapted.makeState())).values)
    #expect(again.description.hasAdapter)

    let loaded = LoadedModel(
      model: try load(path).model, tokenizer: LineTokenizer(), chatFormat: ChatFormat(.plain))
    let store = try EditStore(path: scratch.file("edits.sqlite"))
    let book = try EditBook.open(loaded, store: store, site: EditSite(loaded.editable, format: .raw))
    #expect(book.site.layer == "blocks.0.down")
    var options = Engine.Options()
    options.interventions = book
    let editor = Editor(engine: Engine(loaded, options: options), book: book, store: store)
    guard case .made(let record) = try await editor.add(Correction(prompt: "Who is Tom?", answer: "No.")) else {
      throw EditError("no edit was made")
    }
    #expect(record.isVerified, "\(record.after)")
    #expect(try await editor.answers("Who is Tom?").with == record.after)
    #expect(try await editor.answers("Who is Anne?").with == editor.answers("Who is Anne?").without)
  }
}

/// Bytes, with a line's end as the end of an answer.
private struct LineTokenizer: Tokenizer {
  var vocabularySize: Int { 256 }
  var name: String { "lines" }
  var endOfText: Set<Int> { [10] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map(Int.init) }
  func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
}
