import Foundation
import MartletCheckpoints
import MartletDevice
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Synchronization
import Testing

@testable import MartletEngine
@testable import MartletModels

/// The engine with a model on a device gives the texts that it gives with the same model on the processor.
@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct DeviceEngineTests {
  private static func device(_ checks: Device.Checks = .init()) throws -> Device {
    let index = try #require(TestDevice.index, "\(TestDevice.absence)")
    return try Device(try #require(DeviceDescription.all().first { $0.index == index }), checks: checks)
  }

  private static func engine(
    _ name: String, on device: Device?, _ change: (inout Engine.Options) -> Void = { _ in }
  ) throws -> Engine {
    var loading = LoadedModel.Options(format: .f32)
    loading.device = device
    var options = Engine.Options()
    change(&options)
    if name == BuiltInModel.name { return Engine(try LoadedModel.load(name, options: loading), options: options) }
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name), options: loading)
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)), options: options)
  }

  private static func complete(_ engine: Engine, _ request: Request) async throws -> Completion {
    for try await event in try engine.generate(request) {
      if case .finished(let completion) = event { return completion }
    }
    throw EngineError("no end")
  }

  private static func completeAll(_ engine: Engine, _ requests: [Request]) async throws -> [[Int]] {
    try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask { (index, try await complete(engine, request).tokens) }
      }
      return try await group.reduce(into: [[Int]](repeating: [], count: requests.count)) { $0[$1.0] = $1.1 }
    }
  }

  private static func request(_ tokens: [Int], _ change: (inout Request) -> Void = { _ in }) -> Request {
    var request = Request(tokens: tokens)
    request.maxTokens = 12
    request.sampling.temperature = 0
    change(&request)
    return request
  }

  @Test(arguments: ["rwkv-5.2.pth", "llama3"])
  func sixteenRaggedRequestsWithAllSortsOfWishes(_ name: String) async throws {
    let direction = Tensor((0..<64).map { Float($0 % 3) / 4 })
    let requests = (0..<16).map { p in
      Self.request((0..<(p * 5 + 1)).map { ($0 * 7 + p) % 64 }) { request in
        request.maxTokens = 6 + p
        if p % 4 == 1 {
          request.sampling.temperature = 0.7
          request.sampling.seed = UInt64(p)
        }
        if p % 4 == 2 {
          request.grammar = try? Grammar { grammar in
            try RegularLanguage(pattern: "^[a-f]{3,9}$").text(into: &grammar)
          }
        }
        if p % 4 == 3 {
          let layer = name == "llama3" ? "model.layers.0.mlp.down_proj" : "blocks.0.ffn.value"
          request.interventions = [
            Intervention(layer: layer, rows: .endOfPrompt(1)) { pass in
              let width = pass.output.columns
              return Intervention.Effect(
                replacing: 0..<pass.count, with: pass.output + direction.values.prefix(width).asTensor)
            }
          ]
        }
      }
    }
    let processor = try Self.engine(name, on: nil), card = try Self.engine(name, on: Self.device())
    let truth = try await Self.completeAll(processor, requests), own = try await Self.completeAll(card, requests)
    #expect(own == truth)
    // From the cache of prompts.
    #expect(try await Self.completeAll(card, requests) == truth)
    // A recurrent state serves only where it stands, so short prompts that are alike are read again.
    if name == "llama3" { #expect(card.statistics.cachedTokens > 0) }
    let text = (0..<30).map { ($0 * 11 + 2) % 64 }
    let (wanted, got) = (try await processor.logProbabilities(of: text), try await card.logProbabilities(of: text))
    #expect(zip(wanted, got).allSatisfy { abs($0 - $1) < 1e-4 })
    let (its, embedding) = (try await processor.embedding(of: text), try await card.embedding(of: text))
    #expect(zip(its, embedding).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test(arguments: ["rwkv-5.2.pth", "llama3"]) func aSavedStateGoesOnElsewhere(_ name: String) async throws {
    let scratch = try TestData.Scratch()
    let engines = [try Self.engine(name, on: nil), try Self.engine(name, on: Self.device())]
    var texts: [[Int]] = []
    for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
      let session = Session(engines[from])
      session.append((0..<40).map { ($0 * 5 + 1) % 64 })
      var sampling = Sampling()
      sampling.temperature = 0
      for try await _ in session.generate(sampling: sampling, maxTokens: 5) {}
      let path = scratch.file("\(from)\(to).state")
      try session.save(to: path)
      let restored = try Session(engines[to], restoring: path)
      restored.append([7])
      for try await _ in restored.generate(sampling: sampling, maxTokens: 8) {}
      texts.append(restored.tokens)
    }
    #expect(Set(texts).count == 1)
  }

  @Test func aCancelledRequestLeavesTheOthers() async throws {
    let card = try Self.engine("llama3", on: Self.device()), prompt = (0..<20).map { ($0 * 5 + 1) % 64 }
    let truth = try await Self.complete(card, Self.request(prompt)).tokens
    let stream = try card.generate(Self.request([9, 8, 7]) { $0.maxTokens = 2000 })
    let other = Task { try await Self.complete(card, Self.request(prompt)).tokens }
    for try await event in stream { if case .token = event { break } }
    _ = consume stream
    #expect(try await other.value == truth)
  }

  /// With more rows than a device tells all logits of, and with more tokens than the likeliest that it tells.
  @Test(arguments: [256, 12]) func likeliestTokensGiveTheTextsOfTheProcessor(_ count: Int) async throws {
    var checks = Device.Checks()
    checks.likeliestCount = count
    let requests = (0..<12).map { p in
      Self.request((0..<(3 + p)).map { ($0 * 31 + p * 7) % 250 }) { request in
        request.maxTokens = 8
        request.sampling.seed = UInt64(p)
        request.sampling.temperature = [0, 0.8, 3, 1][p % 4]
        if p % 3 == 1 { request.sampling.topP = 0.9 }
        if p % 5 == 2 { request.sampling.topK = 300 }
        if p % 6 == 5 { request.sampling.presencePenalty = 1 }
        if p % 4 == 1 { request.minTokens = 6 }
        request.logProbabilities = p % 2 == 0 ? 3 : nil
      }
    }
    let card = try Self.engine(BuiltInModel.name, on: Self.device(checks))
    let processor = try Self.engine(BuiltInModel.name, on: nil)
    #expect(try await Self.completeAll(card, requests) == Self.completeAll(processor, requests))
  }

  @Test func afterALossTheEngineGoesOnOnTheProcessor() async throws {
    var checks = Device.Checks()
    let counting = try Self.device()
    _ = try Self.engine("rwkv-5.2.pth", on: counting)
    checks.lostAtSubmission = counting.submissionCount + 8
    let card = try Self.engine("rwkv-5.2.pth", on: Self.device(checks))
    let processor = try Self.engine("rwkv-5.2.pth", on: nil)
    let request = Self.request([1, 2, 3, 4]) { $0.maxTokens = 30 }
    await #expect(throws: ModelFailure.self) { try await Self.complete(card, request) }
    #expect(try await Self.complete(card, request).tokens == Self.complete(processor, request).tokens)
    #expect(card.statistics.failed == 1)
  }
}

extension Collection<Float> {
  fileprivate var asTensor: Tensor { Tensor(Array(self)) }
}
