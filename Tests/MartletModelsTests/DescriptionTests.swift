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

  /// The key/value cache that a summary tells is the one that a sequence gets: in single precision where the weights are
  /// (a matrix that 32 does not divide stays so), else in half precision.
  @Test(arguments: [WeightFormat.f32, .f16, .q8_0]) func aSummaryTellsTheCache(format: WeightFormat) throws {
    let scratch = try TestData.Scratch(), path = scratch.file("model.gguf")
    try Conversion(Checkpoint.open(TestData.fixtures + "/llama"), to: .gguf, format: format).write(to: path)
    let checkpoint = try Checkpoint.open(path)
    let model = try #require(try ModelLoading.load(checkpoint) as? Llama), state = model.makeState()
    _ = model.forward(Batch(Array(repeating: 1, count: 64), state: state))
    let c = model.configuration, perPosition = 2 * c.layers * c.keyValueHeads
    // A head takes a multiple of 16 values in memory; what is told counts its own.
    let bytes = state.byteCount / (perPosition * ((c.headSize + 15) / 16 * 16) * 64)
    #expect([2, 4].contains(bytes) && (bytes == 4) == (format != .f16))
    #expect(ModelSummary(checkpoint).cacheBytes == perPosition * c.headSize * bytes * c.contextLength)
  }
}
