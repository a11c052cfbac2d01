import MartletCheckpoints
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

private struct Identity: LinearWrapper {
  func wrap(_ output: Tensor, input: Tensor) -> Tensor { output }
}

private struct OneRow: LinearWrapper {
  let rows: [Int]
  let value: Tensor
  func wrap(_ output: Tensor, input: Tensor) -> Tensor { output.replacingRows(rows, with: value) }
}

struct ModelSuffixTests {
  static let cases: [(file: String, layers: [String])] = [
    ("llama", ["model.layers.0.mlp.down_proj", "model.layers.1.self_attn.v_proj"]),
    ("rwkv-5.0.pth", ["blocks.0.ffn.value", "blocks.1.att.key"]),
    ("rwkv-5.1.pth", ["blocks.0.att.output"]),
    ("rwkv-5.2.pth", ["blocks.0.ffn.value", "blocks.1.ffn.receptance"]),
  ]

  private func model(_ file: String) throws -> any TrainableModel {
    try ModelLoading.loadTrainable(
      Checkpoint.open(TestData.fixtures + "/" + file), options: LoadedModel.Options(format: .f32), frozen: true)
  }

  /// The suffix gives the logits of the whole pass, also for several sequences and whole ones.
  @Test(arguments: cases.indices) func logitsAreThoseOfTheWholePass(index: Int) throws {
    let (file, layers) = Self.cases[index]
    let model = try model(file)
    let size = model.description.vocabularySize
    let sequences = [
      SuffixSequence(tokens: [3, 1, 4, 1, 5, 9, 2].map { $0 % size }, first: 4),
      SuffixSequence(tokens: [2, 7, 1, 8].map { $0 % size }, first: 0),
    ]
    let whole = sequences.map { model.forward(Batch($0.tokens, state: model.makeState(), outputs: .all)) }
    for layer in layers {
      let suffix = try #require(model.suffix(sequences, at: layer))
      #expect(suffix.spans == [0..<3, 3..<7])
      let logits = suffix.logits(rows: [0, 2, 3, 6], wrapper: Identity()).values
      let expected =
        whole[0].rows(4..<5).values + whole[0].rows(6..<7).values + whole[1].rows(0..<1).values
        + whole[1].rows(3..<4).values
      #expect(TestData.largestDifference(logits, expected) < 2e-4, "\(file) \(layer)")
    }
    #expect(model.suffix(sequences, at: "nothing") == nil)
  }

  /// The gradient of a replaced row is that of finite differences, with and without prepared transposes.
  @Test(arguments: cases.indices) func gradientsAreThoseOfDifferences(index: Int) throws {
    let (file, layers) = Self.cases[index]
    var model = try model(file)
    let tokens = [3, 1, 4, 1, 5, 2].map { $0 % model.description.vocabularySize }
    for layer in layers {
      for isPrepared in [false, true] {
        if isPrepared { model.prepareForGradients(after: layer, format: .f32) }
        let suffix = try #require(model.suffix([SuffixSequence(tokens: tokens, first: 2)], at: layer))
        let width = try #require(model.linear(named: layer)).weight.outputs
        let value = Tensor(TestData.noise(width, seed: 5), shape: [1, width])
        func loss(_ value: Tensor) -> Tensor {
          crossEntropy(
            suffix.logits(rows: [1, 2, 3], wrapper: OneRow(rows: [1], value: value)), targets: [1, 0, 2])
        }
        let (_, gradients) = valueAndGradient(at: [value]) { loss($0[0]) }
        let direction = TestData.noise(width, seed: 9)
        func moved(_ step: Float) -> Double {
          loss(Tensor(zip(value.values, direction).map { $0 + step * $1 }, shape: [1, width])).scalar
        }
        let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2
        let expected = zip(gradients[0].values, direction).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        #expect(abs(slope - expected) < 2e-3 + 0.02 * abs(expected), "\(file) \(layer): \(slope) and \(expected)")
      }
    }
  }
}
