import Foundation
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletEngine

struct EngineTests {

  private static func load(_ name: String, _ options: Engine.Options = .init()) throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)), options: options)
  }

  private func complete(_ engine: Engine, _ request: Request) async throws -> (text: String, completion: Completion) {
    var text = ""
    for await event in try engine.generate(request) {
      switch event {
      case .text(let piece): text += piece
      case .finished(let completion): return (text, completion)
      }
    }
    throw EngineError("no end")
  }

  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func manyTogetherEqualOneByOne(name: String) async throws {
    let prompts = (0..<9).map { p in (0..<(p * 3 + 1)).map { ($0 * 7 + p) % 64 } }
    func request(_ p: Int) -> Request {
      var request = Request(tokens: prompts[p])
      request.maxTokens = 20 + p
      request.sampling.temperature = p % 2 == 0 ? 0 : 1
      request.sampling.seed = UInt64(p)
      return request
    }
    let single = try Self.load(name)
    var alone: [[Int]] = []
    for p in prompts.indices { alone.append(try await complete(single, request(p)).completion.tokens) }
    var options = Engine.Options()
    options.maxSequences = 4
    options.promptChunk = 5
    let shared = try Self.load(name, options)
    let together = try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
      for p in prompts.indices { group.addTask { (p, try await self.complete(shared, request(p)).completion.tokens) } }
      return try await group.reduce(into: [[Int]](repeating: [], count: prompts.count)) { $0[$1.0] = $1.1 }
    }
    #expect(together == alone)
  }

  @Test func aSessionGoesOnAsOneText() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    var whole = Session(engine)
    whole.append([1, 2, 3])
    try await whole.generate(maxTokens: 12)
    var parts = Session(engine)
    parts.append([1, 2, 3])
    try await parts.generate(maxTokens: 5)
    var fork = parts.fork()
    try await parts.generate(maxTokens: 7)
    try await fork.generate(maxTokens: 7)
    #expect(parts.tokens == whole.tokens)
    #expect(fork.tokens == whole.tokens)
  }

  @Test(arguments: ["rwkv-5.1.pth", "mistral"]) func savedSessionsGoOn(name: String) async throws {
    let scratch = try TestData.Scratch()
    let engine = try Self.load(name)
    var session = Session(engine)
    #expect(throws: EngineError.self) { try session.save(to: scratch.file("s")) }
    session.append([4, 5, 6])
    try await session.generate(maxTokens: 6)
    try session.save(to: scratch.file("s"))
    var restored = try Session(engine, restoring: scratch.file("s"))
    try await session.generate(maxTokens: 6)
    try await restored.generate(maxTokens: 6)
    #expect(restored.tokens == session.tokens)
    // Another model, a cut file, a changed byte.
    let other = try Self.load("rwkv-5.0.pth")
    #expect(throws: (any Error).self) { try Session(other, restoring: scratch.file("s")) }
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("s"))))
    for cut in [0, 7, 20, 60, bytes.count - 1] {
      try Data(bytes.prefix(cut)).write(to: URL(fileURLWithPath: scratch.file("cut")))
      #expect(throws: (any Error).self) { try Session(engine, restoring: scratch.file("cut")) }
    }
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: scratch.file("cut")))
    #expect(throws: (any Error).self) { try Session(engine, restoring: scratch.file("cut")) }
  }

  @Test func stopStringsEndTheAnswer() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    var request = Request(tokens: [1])
    request.maxTokens = 40
    let free = try await complete(engine, request).text
    let stop = String(free.dropFirst(10).prefix(3))
    request.stops = [stop]
    let (text, completion) = try await complete(engine, request)
    #expect(completion.reason == .stop)
    #expect(!text.contains(stop) && free.hasPrefix(text + stop))
  }

  @Test func promptsAreNotReadTwice() async throws {
    let engine = try Self.load("llama")
    let prompt = (0..<40).map { $0 % 64 }
    var request = Request(tokens: prompt)
    request.maxTokens = 4
    #expect(try await complete(engine, request).completion.cachedTokens == 0)
    request.tokens = prompt + [1, 2]
    let second = try await complete(engine, request)
    #expect(second.completion.cachedTokens == 40)
    let fresh = try await complete(try Self.load("llama"), request)
    #expect(fresh.completion.tokens == second.completion.tokens)
  }

  @Test func aDroppedStreamEndsTheWork() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    var request = Request(tokens: [1])
    request.maxTokens = 1_000_000
    let stream = try engine.generate(request)
    let task = Task { for await _ in stream {} }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    request.maxTokens = 3
    #expect(try await complete(engine, request).completion.reason == .length)
  }

  @Test func badRequestsAreRefused() throws {
    let engine = try Self.load("llama")
    #expect(throws: EngineError.self) { try engine.generate(Request(tokens: [])) }
    #expect(throws: ModelError.self) { try engine.generate(Request(tokens: [64])) }
    #expect(throws: ModelError.self) { try engine.generate(Request(tokens: [-1])) }
    #expect(throws: EngineError.self) { try engine.generate(Request(tokens: [Int](repeating: 1, count: 256))) }
    var request = Request(tokens: [1])
    request.sampling.topP = 0
    #expect(throws: EngineError.self) { try engine.generate(request) }
  }

  @Test func theContextEndsTheAnswer() async throws {
    let engine = try Self.load("llama")
    var request = Request(tokens: [Int](repeating: 1, count: 250))
    request.maxTokens = 50
    let completion = try await complete(engine, request).completion
    #expect(completion.reason == .length && completion.tokens.count <= 6)
  }
}
