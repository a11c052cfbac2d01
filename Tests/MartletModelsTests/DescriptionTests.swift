import MartletCheckpoints
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

struct DescriptionTests {
  @Test func batchesAndModelsTellWhatTheyAre() throws {
    let model = try ModelLoading.load(Checkpoint.open(TestData.fixtures + "/llama"), options: .init(format: .f32))
    let facts = model.description
    #expect(
      "\(facts)"
        == "\(facts.architecture), \(facts.parameterCount) parameters, \(facts.layers) layers of width \(facts.width), \(facts.vocabularySize) tokens, context of \(facts.contextLength ?? 0)"
    )
    let state = model.makeState()
    _ = model.forward(Batch([1, 2, 3], state: state))
    var batch = Batch([4], state: state)
    batch.append([5, 6], state: model.makeState())
    #expect("\(batch)" == "Batch(1 row from 3, 2 rows from 0)" && "\(Batch())" == "Batch()")
  }

  /// The key/value cache that a summary tells is the one that a sequence gets, in half precision or single.
  @Test(arguments: [WeightFormat.f32, .f16, .q8_0]) func aSummaryTellsTheCache(format: WeightFormat) throws {
    let scratch = try TestData.Scratch(), path = scratch.file("model.gguf")
    try Conversion(Checkpoint.open(TestData.fixtures + "/llama"), to: .gguf, format: format).write(to: path)
    let checkpoint = try Checkpoint.open(path)
    let model = try ModelLoading.load(checkpoint), state = model.makeState()
    _ = model.forward(Batch(Array(repeating: 1, count: 64), state: state))
    let summary = ModelSummary(checkpoint)
    #expect(summary.cacheBytes * 64 == state.byteCount * (summary.context ?? 0), "\(summary.cacheBytes)")
  }
}
