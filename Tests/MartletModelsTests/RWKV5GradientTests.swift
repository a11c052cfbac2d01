import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// The gradient oracle of ../shared/data/rwkv (torch autograd, float64): 2 layers, 64 wide, 2 heads of 32.
struct RWKV5GradientTests {
  private static let path = TestData.shared.map { $0 + "/rwkv/dev-train-grad-v52-l2-d64-h32-v61.safetensors" }

  /// The oracle's parameters, under their own names.
  private func model() throws -> (model: RWKV5, oracle: Checkpoint) {
    let oracle = try Checkpoint.open(try #require(Self.path))
    var model = RWKV5(
      RWKV5Configuration(layers: 2, width: 64, headSize: 32, vocabularySize: 61), random: RandomSource(seed: 1))
    try model.visitParameters { name, tensor in
      let entry = try? oracle.tensor("p/" + name)
      if let entry, let values = try? entry.floats(), values.count == tensor.count {
        tensor = Tensor(values, shape: tensor.shape)
      } else {
        Issue.record("the oracle has no p/\(name) of \(tensor.shape)")
      }
    }
    return (model, oracle)
  }

  @Test(.enabled(if: path != nil, "../shared/data is absent"), arguments: [false, true])
  func gradientsEqualTheOracle(checkpointing: Bool) throws {
    let (model, oracle) = try model()
    let index = try oracle.tensor("idx")
    let ids = index.bytes.withMemoryRebound(to: Int32.self) { $0.map { Int(Int32(littleEndian: $0)) } }
    #expect(index.shape == [2, 17])
    let inputs = (0..<2).flatMap { ids[$0 * 17..<$0 * 17 + 16] }, targets = (0..<2).flatMap { ids[$0 * 17 + 1..<$0 * 17 + 17] }
    let spans = [0..<16, 16..<32]
    let names = model.parameters.map(\.name)
    let (loss, gradients) = valueAndGradient(at: model.parameters.map(\.value)) { variables in
      var copy = model
      var place = 0
      copy.visitParameters { _, tensor in
        tensor = variables[place]
        place += 1
      }
      let logits = copy.logits(inputs, spans: spans, rows: nil, checkpointing: checkpointing)
      let wanted = (try? oracle.tensor("logits").floats()) ?? []
      #expect(TestData.largestDifference(logits.values, wanted) < 1e-5)
      return crossEntropy(logits, targets: targets)
    }
    #expect(abs(loss.scalar - 4.53674091989449) < 1e-6)
    var total = 0.0
    for (name, gradient) in zip(names, gradients) {
      let wanted = try oracle.tensor("g/" + name).floats()
      let scale = wanted.map { abs($0) }.max() ?? 0
      let gap = TestData.largestDifference(gradient.values, wanted)
      #expect(gap <= 1e-5 * max(scale, 1e-4), "\(name): off by \(gap) of \(scale)")
      total += gradient.values.reduce(0) { $0 + Double($1) * Double($1) }
    }
    #expect(abs(total.squareRoot() - 3.109848783151724) < 1e-5)
  }
}
