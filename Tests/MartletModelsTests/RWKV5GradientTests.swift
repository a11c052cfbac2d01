import Foundation
import MartletCheckpoints
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// The reference gradients in `rwkv` of the data folder given by MARTLET_DATA (torch autograd, float64): 2 layers,
/// 64 wide, 2 heads of 32.
struct RWKV5GradientTests {
  private static let path = TestData.shared.map { $0 + "/rwkv/dev-train-grad-v52-l2-d64-h32-v61.safetensors" }

  /// The oracle's parameters, under their own names.
  private func model() throws -> (model: RWKV5, oracle: Checkpoint) {
    let oracle = try Checkpoint.open(try #require(Self.path))
    var model = RWKV5(
      RWKV5Configuration(layers: 2, width: 64, headSize: 32, vocabularySize: 61), random: RandomSource(seed: 1))
    model.visitParameters { name, tensor in
      let entry = try? oracle.tensor("p/" + name)
      if let entry, let values = try? entry.floats(), values.count == tensor.count {
        tensor = Tensor(values, shape: tensor.shape)
      } else {
        Issue.record("the oracle has no p/\(name) of \(tensor.shape)")
      }
    }
    return (model, oracle)
  }

  @Test(.enabled(if: path != nil, "MARTLET_DATA is absent"), arguments: [false, true])
  func gradientsEqualTheOracle(checkpointing: Bool) throws {
    let (model, oracle) = try model()
    let index = try oracle.tensor("idx")
    let ids = withExtendedLifetime(index) {
      index.bytes.withMemoryRebound(to: Int32.self) { $0.map { Int(Int32(littleEndian: $0)) } }
    }
    #expect(index.shape == [2, 17])
    let rows: [[Int]] = [Array(ids[0..<17]), Array(ids[17..<34])]
    let inputs = rows.flatMap { $0.dropLast() }, targets = rows.flatMap { $0.dropFirst() }
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

struct TrainableModelTests {
  private func gap(_ model: any TrainableModel, _ vocabulary: Int) -> Float {
    let ids = (0..<23).map { $0 * 31 % vocabulary }, spans = [0..<9, 9..<10, 10..<23]
    var batch = Batch(outputs: .all)
    for span in spans { batch.append(ids[span], state: model.makeState()) }
    let trained = model.logits(ids, spans: spans, rows: nil, checkpointing: true)
    return TestData.largestDifference(trained.values, model.forward(batch).values)
  }

  /// What is trained is what is run, in every version and family, with parameters that are all alive.
  @Test(arguments: [RWKV5Configuration.Version.v5_0, .v5_1, .v5_2]) func rwkv(version: RWKV5Configuration.Version) {
    var model = RWKV5(
      RWKV5Configuration(version: version, layers: 2, width: 48, headSize: 16, vocabularySize: 64),
      random: RandomSource(seed: 1))
    var seed: UInt64 = 0
    model.visitParameters { name, tensor in
      seed += 1
      tensor = tensor + Tensor(TestData.noise(tensor.count, seed: seed), shape: tensor.shape) * 0.1
    }
    model.prepareForInference()
    #expect(gap(model, 64) < 1e-4)
    #expect(model.parameters.map(\.name).contains("blocks.1.att.gate.weight") == (version != .v5_0))
  }

  @Test func llama() throws {
    let model = Llama(
      LlamaConfiguration(layers: 2, width: 48, heads: 6, keyValueHeads: 2, vocabularySize: 64, contextLength: 32),
      random: RandomSource(seed: 1))
    #expect(gap(model, 64) < 1e-4)
    // A hub model with tied embeddings trains them as both.
    let checkpoint = try Checkpoint.open(TestData.fixtures + "/llama")
    for frozen in [true, false] {
      let loaded = try ModelLoading.loadTrainable(
        checkpoint, options: .init(format: frozen ? .f32 : nil), frozen: frozen)
      #expect(gap(loaded, loaded.description.vocabularySize) < 1e-4, "\(frozen)")
    }
  }
}
