import Foundation
import MartletEngine
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletEditing

struct ValueTrainingTests {
  /// Keys and loss curves that the authors of the reference notes recorded with torch on SmolLM2-135M-Instruct in f32.
  @Test(.enabled(if: TestData.smolLM2 != nil && TestData.shared != nil))
  func keysAndLossesAreTheReferences() throws {
    let (path, shared) = try (#require(TestData.smolLM2), #require(TestData.shared))
    let loaded = try LoadedModel.load(path, options: LoadedModel.Options(format: .f32))
    var model = try #require(loaded.model as? any TrainableModel)
    let layer = "model.layers.25.mlp.down_proj"
    model.prepareForGradients(after: layer, format: .f32)
    let data = try TestData.gunzip(shared + "/editing/smollm2_grace_fixture.json.gz")
    let fixture = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let cases = try #require(fixture["cases"] as? [[String: Any]])
    #expect(cases.count == 2)
    for item in cases {
      func numbers(_ name: String) throws -> [Float] {
        try #require(item[name] as? [NSNumber], "\(name) is missing").map(\.floatValue)
      }
      let prompt = try #require(item["prompt_ids"] as? [Int]), target = try #require(item["target_ids"] as? [Int])
      let position = try #require(item["key_position"] as? Int)
      #expect(position == prompt.count - 1)
      let key = model.key(prompt, layer: layer)
      #expect(TestData.largestDifference(key, try numbers("key")) < 1e-3)
      let losses = try numbers("loss_per_iter")
      var training = ValueTraining(iterations: losses.count)
      training.stopLoss = nil
      let result = try training.run(
        model, layer: layer,
        contexts: [ValueTraining.Context(prompt: prompt, rows: position..<position + 1)], answer: target,
        initial: Tensor(numbers("v0"), shape: [1, 576]))
      let ours = Array(result.losses.map { Float($0) }.prefix(losses.count))
      #expect(TestData.largestDifference(ours, losses) < 1e-2, "\(ours) and \(losses)")
      let after = try numbers("v_after_10")
      #expect(TestData.largestDifference(result.value.values, after) < 2e-2)
    }
  }
}
