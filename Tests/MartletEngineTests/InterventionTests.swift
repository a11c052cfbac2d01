import MartletCheckpoints
import MartletModels
import MartletTensor
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletEngine

/// The engine's one hook into forward passes.
struct InterventionTests {
  private static let layer = "model.layers.1.mlp.down_proj"
  private static let head = "lm_head"

  private static func engine(_ options: Engine.Options = .init()) throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/llama"))
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)), options: options)
  }

  private func complete(_ engine: Engine, _ requests: [Request]) async throws -> [Completion] {
    var completions: [Completion] = []
    for stream in try engine.generate(requests) {
      for try await event in stream { if case .finished(let end) = event { completions.append(end) } }
    }
    return completions
  }

  private func request(_ count: Int, seed: Int = 1) -> Request {
    var request = Request(tokens: (0..<count).map { ($0 * 7 + seed) % 64 })
    request.maxTokens = 6
    return request
  }

  /// A probe sees the rows of its own request, and changes nothing.
  @Test func aProbeSeesEveryRowAndChangesNothing() async throws {
    var options = Engine.Options()
    options.promptChunk = 8
    let engine = try Self.engine(options)
    let plain = try await complete(engine, [request(20), request(30, seed: 2)])
    var probed = request(20)
    probed.interventions = [
      Intervention(layer: Self.layer, rows: .all) { pass in
        Intervention.Effect(note: pass.position..<pass.position + pass.input.rows)
      }
    ]
    let both = try await complete(engine, [probed, request(30, seed: 2)])
    #expect(both.map(\.tokens) == plain.map(\.tokens))
    #expect(!both[0].hasChangedState && both[1].notes.isEmpty && both[0].cachedTokens == 0)
    // Positions without a gap: the prompt, and each generated token but the last.
    var next = 0
    for note in both[0].notes {
      let rows = try #require(note as? Range<Int>)
      #expect(rows.lowerBound == next)
      next = rows.upperBound
    }
    #expect(next == 20 + 5)
    #expect(engine.statistics.intervened == 0)
  }

  /// Steering changes its own request, is not remembered, and leaves neighbours their bits.
  @Test func steeringChangesItsOwnRequestOnly() async throws {
    let engine = try Self.engine()
    let plain = try await complete(engine, [request(40), request(30, seed: 2)])
    engine.clearPromptCache()
    var steered = request(40)
    steered.interventions = [
      Intervention(layer: Self.layer, rows: .all) { pass in
        let shift = Tensor((0..<pass.output.columns).map { Float($0 % 7) * 4 }, shape: [pass.output.columns])
        return Intervention.Effect(replacing: 0..<pass.count, with: pass.output.adding(bias: shift), note: pass.count)
      }
    ]
    let both = try await complete(engine, [steered, request(30, seed: 2)])
    #expect(both[0].tokens != plain[0].tokens && both[1].tokens == plain[1].tokens)
    #expect(both[0].hasChangedState && both[0].notes.first as? Int == 40)
    #expect(engine.statistics.intervened == 1)
    let after = try await complete(engine, [request(40)])
    #expect(after[0].tokens == plain[0].tokens && after[0].cachedTokens == 0)
  }

  /// Several at one layer act one after the other, those of several layers each at theirs.
  @Test func severalAct() async throws {
    let engine = try Self.engine()
    let seen = Mutex<[Float]>([])
    func fill(_ value: Float) -> @Sendable (Intervention.Pass) -> Intervention.Effect? {
      { pass in
        seen.withLock { $0.append(pass.output.values[0]) }
        let row = [Float](repeating: value, count: pass.output.columns)
        return Intervention.Effect(replacing: 1..<2, with: Tensor(row, shape: [1, pass.output.columns]))
      }
    }
    var both = request(9)
    both.interventions = [
      Intervention(layer: Self.layer, rows: .endOfPrompt(2), act: fill(3)),
      Intervention(layer: Self.layer, rows: .endOfPrompt(1)) { pass in
        seen.withLock { $0.append(pass.output.values[0]) }
        return nil
      },
      Intervention(layer: "model.layers.0.mlp.down_proj", rows: .endOfPrompt(2), act: fill(5)),
    ]
    _ = try await complete(engine, [both])
    let values = seen.withLock { $0 }
    #expect(values.count == 3 && values.contains(3) && !values.contains(5))
  }

  @Test func whatCannotActIsRefused() throws {
    let engine = try Self.engine()
    var wrong = request(3)
    wrong.interventions = [Intervention(layer: "model.layers.99.mlp.down_proj", rows: .all) { _ in nil }]
    #expect(throws: EngineError.self) { try engine.generate(wrong) }
    // The head receives the last row of each request alone: rows of the batch would be those of others there.
    wrong.interventions = [Intervention(layer: Self.head, rows: .all) { _ in nil }]
    #expect(throws: EngineError.self) { try engine.generate(wrong) }
    wrong.interventions = [Intervention(layer: Self.layer, rows: .endOfPrompt(0)) { _ in nil }]
    #expect(throws: EngineError.self) { try engine.generate(wrong) }
  }
}
