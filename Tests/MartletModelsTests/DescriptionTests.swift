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
}
