import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEngine
@testable import MartletModels

struct EngineTests {

  private static func load(_ name: String, _ options: Engine.Options = .init()) throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)), options: options)
  }

  private func complete(_ engine: Engine, _ request: Request) async throws -> (text: String, completion: Completion) {
    var text = ""
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let piece): text += piece
      case .token: break
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

  /// Requests with the same prompt that wait together; the first of them is given up in the middle of its prompt in the second case.
  @Test(arguments: ["rwkv-5.2.pth", "llama"], [false, true])
  func aPromptOfSeveralRequestsIsReadOnce(name: String, cancelsReader: Bool) async throws {
    let prompts = [(0..<40).map { $0 * 5 % 64 }, (0..<9).map { $0 * 7 % 64 }]
    func request(_ place: Int) -> Request {
      var request = Request(tokens: prompts[place % 3 == 2 ? 1 : 0])
      request.maxTokens = 12
      request.sampling.temperature = 1
      request.sampling.seed = UInt64(place)
      return request
    }
    let single = try Self.load(name)
    var alone: [[Int]] = []
    for place in 0..<6 { alone.append(try await complete(single, request(place)).completion.tokens) }
    var options = Engine.Options()
    (options.maxSequences, options.promptChunk) = (16, 4)
    let engine = try Self.load(name, options)
    var given: GenerationStream? = cancelsReader ? try engine.generate(request(0)) : nil
    let streams = try engine.generate((0..<6).map(request))
    while cancelsReader, engine.statistics.rows < 8 { await Task.yield() }
    withExtendedLifetime(given) {}
    given = nil
    for (place, stream) in streams.enumerated() {
      for try await event in stream {
        if case .finished(let completion) = event { #expect(completion.tokens == alone[place]) }
      }
    }
    // Four prompts of 40 tokens and two of 9 are read as one each; answers take at most twelve rows each. What was given up may
    // have been read to its end.
    #expect(engine.statistics.rows <= 49 + 6 * 12 + (cancelsReader ? 40 + 12 : 0))
    #expect(cancelsReader || engine.statistics.cachedTokens == 3 * 40 + 9)
  }

  @Test func aSessionGoesOnAsOneText() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    let whole = Session(engine)
    whole.append([1, 2, 3])
    try await whole.generate(maxTokens: 12).text()
    let parts = Session(engine)
    parts.append([1, 2, 3])
    try await parts.generate(maxTokens: 5).text()
    let fork = parts.fork()
    try await parts.generate(maxTokens: 7).text()
    try await fork.generate(maxTokens: 7).text()
    #expect(parts.tokens == whole.tokens)
    #expect(fork.tokens == whole.tokens)
  }

  @Test(arguments: ["rwkv-5.1.pth", "mistral"]) func savedSessionsGoOn(name: String) async throws {
    let scratch = try TestData.Scratch()
    let engine = try Self.load(name)
    let session = Session(engine)
    #expect(throws: EngineError.self) { try session.save(to: scratch.file("s")) }
    session.append([4, 5, 6])
    try await session.generate(maxTokens: 6).text()
    try session.save(to: scratch.file("s"))
    let restored = try Session(engine, restoring: scratch.file("s"))
    try await session.generate(maxTokens: 6).text()
    try await restored.generate(maxTokens: 6).text()
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

  /// Stop strings and grammars that could end an answer sooner do not.
  @Test func answersHaveTheirLeastTokens() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    let letter = Grammar.Expression.range(UInt8(ascii: "a")...UInt8(ascii: "z"))
    let grammars: [Grammar?] = [
      nil,
      try Grammar { _ in .choice([.literal("A"), .literal("BC"), .repeated(letter, minimum: 1, maximum: 14)]) },
      try Grammar { grammar in
        // Lists in lists, which may end at once.
        let list = try grammar.declare()
        try grammar.define(
          list, .sequence([.literal("0"), .choice([.nothing, .sequence([list, list])]), .literal("1")]))
        return list
      },
      try Grammar { grammar in try RegularLanguage(pattern: "^([A-C]{3}|x-{40}|[a-f]{9,12})$").text(into: &grammar) },
    ]
    for (index, grammar) in grammars.enumerated() {
      for seed in 0..<30 {
        var request = Request(tokens: [seed])
        request.sampling.seed = UInt64(seed)
        request.sampling.temperature = seed % 3 == 0 ? 0 : 1
        request.maxTokens = 40
        request.minTokens = 9
        request.grammar = grammar
        if index < 2 { request.stops = ["a", "Q", "0", "z", "xy"] }
        let (text, completion) = try await complete(engine, request)
        #expect(completion.tokens.count >= 9, "\(index) \(seed) \(text)")
        if index > 1, completion.reason == .stop { #expect(grammar?.accepts(text) == true, "\(text)") }
      }
      var request = Request(tokens: [1])
      request.grammar = grammar
      request.minTokens = 15
      request.maxTokens = 20
      if index == 1 || index == 3 {
        let error = #expect(throws: EngineError.self) { try engine.check(request) }
        #expect(error?.description.contains("min_tokens") == true && error?.description.contains("bytes") == true)
      } else {
        #expect(throws: Never.self) { try engine.check(request) }
      }
    }
    // One that begins in the first tokens and ends behind them counts.
    var request = Request(tokens: [1])
    request.maxTokens = 30
    let free = try await complete(engine, request).text
    request.minTokens = 12
    request.stops = [String(free.dropFirst(10).prefix(4))]
    let (text, completion) = try await complete(engine, request)
    #expect(free.hasPrefix(text) && completion.reason == .stop && completion.tokens.count > 12)
  }

  /// What no token of the vocabulary writes is no way to go on.
  @Test func textsThatCannotBeWrittenAreNotBegun() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    for pattern in ["^(a-|b)$", "^(-|b)$", "^([a-c]{3}[-_]|b)$"] {
      var request = Request(tokens: [1])
      request.grammar = try Grammar { try RegularLanguage(pattern: pattern).text(into: &$0) }
      #expect(try await complete(engine, request).text == "b", "\(pattern)")
    }
    var request = Request(tokens: [1])
    request.grammar = try Grammar { try RegularLanguage(pattern: "^a-$").text(into: &$0) }
    let error = #expect(throws: EngineError.self) { try engine.generate(request) }
    #expect(error?.description.contains("0x2d") == true)
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

  /// A recurrent state cannot be cut, so the engine keeps it on the way: the same long prompt is read almost only
  /// once, and one that leaves it late does not start from the front.
  @Test(arguments: ["rwkv-5.0.pth", "rwkv-5.2.pth"]) func longPromptsAreNotReadTwice(name: String) async throws {
    let prompt = (0..<1_500).map { ($0 * $0 + 3) % 64 }
    func answer(_ tokens: [Int], _ engine: Engine) async throws -> (tokens: [Int], cached: Int) {
      var request = Request(tokens: tokens)
      request.maxTokens = 6
      let completion = try await complete(engine, request).completion
      return (completion.tokens, completion.cachedTokens)
    }
    let engine = try Self.load(name)
    let first = try await answer(prompt, engine)
    #expect(first.cached == 0)
    let again = try await answer(prompt, engine)
    #expect(again == (first.tokens, 1_499))
    let other = Array(prompt.prefix(1_100)) + [1, 2, 3]
    let branch = try await answer(other, engine)
    #expect(branch.cached == 1_024)
    #expect(branch.tokens == (try await answer(other, Self.load(name))).tokens)
  }

  /// Nesting deeper than a grammar is followed is refused before the bracket, not after it.
  @Test func nestingEndsBeforeItsLimit() throws {
    let grammar = try Grammar.jsonSchema(["type": "array"])
    let automaton = GrammarAutomaton(grammar)
    var state = GrammarAutomaton.start, depth = 0
    while automaton.next(state, UInt8(ascii: "[")) >= 0, depth < 10_000 {
      state = automaton.next(state, UInt8(ascii: "["))
      depth += 1
    }
    #expect(depth > 60 && depth < 1_000)
    for _ in 0..<depth { state = automaton.next(state, UInt8(ascii: "]")) }
    #expect(automaton.isAccepting(state))
  }

  @Test func damagedWeightsFailTheAnswerAlone() async throws {
    let loaded = LoadedModel(model: NotANumber(), tokenizer: Letters(), chatFormat: ChatFormat(.plain))
    let engine = Engine(loaded)
    for temperature in [0, 1] as [Float] {
      var request = Request(tokens: [1, 2])
      request.sampling.temperature = temperature
      let streams = try engine.generate([request, Request(tokens: [5]), request])
      for (stream, isDamaged) in zip(streams, [true, false, true]) {
        do {
          for try await _ in stream {}
          #expect(!isDamaged)
        } catch {
          #expect(isDamaged && error as? SamplingError == .notFinite(token: 3))
        }
      }
    }
    await #expect(throws: ModelOutputError.self) { try await engine.embedding(of: [1, 2]) }
    await #expect(throws: ModelOutputError.self) { try await engine.logProbabilities(of: [1, 2]) }
    #expect(engine.statistics.failed == 4 && engine.statistics.running == 0)
  }

  @Test func aDroppedStreamEndsTheWork() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    var request = Request(tokens: [1])
    request.maxTokens = 1_000_000
    let stream = try engine.generate(request)
    let task = Task { for try await _ in stream {} }
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
    #expect(throws: ContextOverflow.self) { try engine.generate(Request(tokens: [Int](repeating: 1, count: 256))) }
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

/// What serving asks of the engine.
struct ServingEngineTests {
  private static func load(_ name: String, _ options: Engine.Options = .init()) throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)), options: options)
  }

  private func run(_ engine: Engine, _ request: Request) async throws -> (text: String, tokens: [TokenProbability]) {
    var text = ""
    var tokens: [TokenProbability] = []
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let piece): text += piece
      case .token(let token): tokens.append(token)
      case .finished: break
      }
    }
    return (text, tokens)
  }

  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func aGrammarHoldsForEverySampling(name: String) async throws {
    let engine = try Self.load(name)
    let grammar = try Grammar { _ in
      .sequence([.literal("AB"), .repeated(.bytes("xyz"), minimum: 2, maximum: 5), .literal("Q")])
    }
    for seed in 0..<20 {
      var request = Request(tokens: [seed % 64])
      request.grammar = grammar
      request.sampling.temperature = seed % 2 == 0 ? 0 : 1.5
      request.sampling.seed = UInt64(seed)
      let text = try await run(engine, request).text
      #expect(text.wholeMatch(of: /AB[xyz]{2,5}Q/) != nil, "\(text)")
    }
  }

  /// Refusing and drawing again gives the odds of the allowed tokens alone.
  @Test func constrainedDrawsFollowTheSoftmax() throws {
    let logits: [Float] = [3, 2, 1, 0, -1]
    var sampling = Sampling()
    sampling.temperature = 1
    sampling.seed = 11
    var sampler = Sampler(sampling)
    var counts = [Double](repeating: 0, count: 5)
    for _ in 0..<20_000 {
      counts[try logits.withUnsafeBufferPointer { try sampler.sample($0) { [1, 3, 4].contains($0) } }] += 1 / 20_000
    }
    let weights = [0, exp(2.0), 0, 1, exp(-1.0)]
    for (count, weight) in zip(counts, weights) {
      #expect(abs(count - weight / weights.reduce(0, +)) < 4 * (0.25 / 20_000).squareRoot())
    }
  }

  @Test func logProbabilitiesAreTheModels() async throws {
    let engine = try Self.load("llama")
    var request = Request(tokens: [1, 2, 3])
    request.maxTokens = 5
    request.logProbabilities = 3
    let (_, tokens) = try await run(engine, request)
    #expect(tokens.count == 5)
    let scored = try await engine.logProbabilities(of: [1, 2, 3] + tokens.map(\.chosen.token))
    for (token, score) in zip(tokens, scored.suffix(5)) {
      #expect(abs(token.chosen.logProbability - score) < 1e-5)
      // Greedy: the chosen one is the best.
      #expect(token.alternatives.first?.token == token.chosen.token && token.alternatives.count == 3)
      #expect(
        zip(token.alternatives, token.alternatives.dropFirst()).allSatisfy { $0.logProbability >= $1.logProbability })
    }
    let all = (0..<64).map { Float($0) }
    let exact = all.withUnsafeBufferPointer {
      TokenProbability($0, chosen: 5, alternatives: 64, bytes: TokenBytes(Letters()))
    }
    #expect(abs(exact.alternatives.reduce(0) { $0 + exp($1.logProbability) } - 1) < 1e-5)
  }

  @Test func embeddingsDoNotDependOnChunks() async throws {
    var options = Engine.Options()
    options.promptChunk = 3
    let small = try Self.load("rwkv-5.1.pth", options), large = try Self.load("rwkv-5.1.pth")
    let tokens = (0..<20).map { $0 * 3 % 64 }
    let a = try await small.embedding(of: tokens), b = try await large.embedding(of: tokens)
    #expect(TestData.largestDifference(a, b) < 1e-6 && a.contains { $0 != 0 })
  }

  @Test func aFullQueueRefuses() async throws {
    var options = Engine.Options()
    options.maxSequences = 1
    options.maxWaiting = 1
    let engine = try Self.load("rwkv-5.2.pth", options)
    var request = Request(tokens: [1])
    request.maxTokens = 1_000_000
    let first = try engine.generate(request)
    // It may run or wait when the second comes; the third finds no place either way.
    while engine.statistics.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
    let second = try engine.generate(request)
    #expect(throws: EngineOverloaded.self) { try engine.generate(request) }
    // What no waiting helps is said as such.
    #expect(throws: EngineError.self) { try engine.generate([request, request, request]) }
    request.isContinuation = true
    request.maxTokens = 1
    let third = try engine.generate(request)
    let task = Task { for try await _ in first {} }
    let other = Task { for try await _ in second {} }
    task.cancel()
    other.cancel()
    for try await _ in third {}
    while engine.statistics.waiting + engine.statistics.running > 0 { try await Task.sleep(for: .milliseconds(1)) }
  }

  /// The state of a conversation is found again, for a model that can only go forward too.
  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func laterTurnsReadOnlyWhatIsNew(name: String) async throws {
    let engine = try Self.load(name)
    var request = Request(tokens: (0..<30).map { $0 % 64 })
    request.maxTokens = 8
    request.landmarks = [20]
    var answer: [Int] = []
    for try await event in try engine.generate(request) { if case .finished(let end) = event { answer = end.tokens } }
    func cached(_ tokens: [Int]) async throws -> (Int, [Int]) {
      var next = Request(tokens: tokens)
      next.maxTokens = 4
      for try await event in try engine.generate(next) {
        if case .finished(let end) = event { return (end.cachedTokens, end.tokens) }
      }
      return (-1, [])
    }
    let next = request.tokens + answer + [5, 6]
    let (saved, text) = try await cached(next)
    #expect(saved >= request.tokens.count + answer.count - 1)
    // Another branch behind the landmark.
    let (branch, _) = try await cached(Array(request.tokens.prefix(20)) + [9, 9, 9])
    #expect(branch == 20)
    engine.clearPromptCache()
    #expect(try await cached(next) == (0, text))
  }

  @Test func aScriptSetsLengthsOnly() async throws {
    var options = Engine.Options()
    options.script = { $0 == [7] ? [1, 2, 3] : nil }
    let engine = try Self.load("rwkv-5.2.pth", options)
    var request = Request(tokens: [7])
    request.endTokens = [0]
    #expect(try await run(engine, request).text == "BCD")
  }
}

/// Batched decoding where the reference code of Skeleton-of-Thought goes wrong (the reference notes, section 1.2, traps iii to vi).
/// That greedy answers together equal those alone, without padding, is `manyTogetherEqualOneByOne`.
extension ServingEngineTests {
  @Test func trapFinishedRowsLeaveTheBatch() async throws {
    let engine = try Self.load("llama")
    let requests = [2, 5, 30].map { count in
      var request = Request(tokens: [1, 2, 3])
      request.maxTokens = count
      return request
    }
    for stream in try engine.generate(requests) { for try await _ in stream {} }
    // The prompt's rows, which are read once, then one row a further token of each: none for the ended.
    #expect(engine.statistics.rows == 3 + 1 + 4 + 29)
    #expect(engine.statistics.steps == 30)
  }

  @Test func trapStopStringsEndAtOnce() async throws {
    let engine = try Self.load("rwkv-5.2.pth")
    var request = Request(tokens: [1])
    request.maxTokens = 40
    let free = try await run(engine, request).text
    let stop = String(free.dropFirst(6).prefix(2))
    request.stops = [stop]
    for try await event in try engine.generate(request) {
      if case .finished(let end) = event {
        // One letter a token: no token is made behind the stop string.
        let place = try #require(free.range(of: stop))
        #expect(end.tokens.count == free.distance(from: free.startIndex, to: place.upperBound))
      }
    }
  }
}

/// A model whose output is NaN behind the tokens 1 to 4.
private struct NotANumber: LanguageModel {
  final class State: SequenceState {
    let position: Int
    init(_ position: Int) { self.position = position }
    func copy() -> any SequenceState { State(position) }
    var canBeCut: Bool { false }
    func prefix(_ count: Int) -> (any SequenceState)? { count == position ? self : nil }
    var byteCount: Int { 8 }
    func serialized() -> [UInt8] { [] }
  }
  let description = ModelDescription(
    architecture: "none", layers: 1, width: 64, heads: 1, feedForwardWidth: 1, vocabularySize: 64, parameterCount: 0,
    contextLength: nil, bytesPerToken: 0, fingerprint: "none")

  func makeState() -> any SequenceState { State(0) }
  func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState { State(0) }
  func project(_ hidden: Tensor) -> Tensor { hidden }
  func hidden(_ batch: Batch) -> Tensor {
    let rows = batch.outputRows ?? Array(batch.tokens.indices)
    var values = [Float](repeating: 0, count: rows.count * 64)
    for (place, row) in rows.enumerated() where (1..<5).contains(batch.tokens[row]) { values[place * 64 + 3] = .nan }
    return Tensor(values, shape: [rows.count, 64])
  }
}
