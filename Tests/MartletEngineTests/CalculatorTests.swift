import MartletCheckpoints
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEngine
@testable import MartletModels

/// 64 tokens, some of which hold the equals sign and more.
private struct Sums: Tokenizer {
  static let texts: [String] =
    ["=", "=2", "<<", ">>", "=<<", "2=", ">>.", "####"] + (0...9).map { "\($0)" } + [
      "+", "-", "*", "/", "(", ")", ".", ",", " ", "\n",
    ]
    + (0..<36).map { String(UnicodeScalar(UInt8(($0 < 26 ? 97 : 39) + $0))) }
  var vocabularySize: Int { 64 }
  var name: String { "sums" }
  var endOfText: Set<Int> { [] }
  /// The longest token at each place.
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    var rest = String(decoding: text, as: UTF8.self)[...], tokens: [Int] = []
    while !rest.isEmpty {
      let fitting = Self.texts.indices.filter { rest.hasPrefix(Self.texts[$0]) }
      guard let best = fitting.max(by: { Self.texts[$0].count < Self.texts[$1].count }) else { return tokens }
      tokens.append(best)
      rest = rest.dropFirst(Self.texts[best].count)
    }
    return tokens
  }
  func bytes(of token: Int) -> [UInt8] { Array(Self.texts[token].utf8) }
}

/// The calculator in the loop of decoding.
struct CalculatorTests {
  private func engine(_ name: String = "llama") throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return Engine(LoadedModel(model: model, tokenizer: Sums(), chatFormat: ChatFormat(.plain)))
  }

  /// A request whose model always says one token.
  private func request(_ prompt: String, saying token: String, most: Int = 4) -> Request {
    var request = Request(tokens: Sums().encode(prompt, special: false))
    request.maxTokens = most
    request.sampling.logitBias = [Sums.texts.firstIndex(of: token) ?? 0: 1000]
    request.calculator = Calculator()
    return request
  }

  private func answer(
    _ request: Request, on engine: Engine
  ) async throws -> (text: String, probabilities: [TokenProbability], completion: Completion) {
    var text = "", probabilities: [TokenProbability] = []
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let piece): text += piece
      case .token(let probability): probabilities.append(probability)
      case .finished(let completion): return (text, probabilities, completion)
      }
    }
    throw EngineError("no end")
  }

  private func grammar(_ pattern: String) throws -> Grammar {
    try Grammar { grammar in try RegularLanguage(pattern: "^(\(pattern))$").text(into: &grammar) }
  }

  @Test(arguments: ["=", "=2", "2="], ["llama", "rwkv-5.2.pth"]) func theTextDecides(token: String, model: String)
    async throws
  {
    let (text, _, completion) = try await answer(request("<<48/2", saying: token, most: 3), on: engine(model))
    if token == "2=" {
      // The expression goes on in the token.
      #expect(text == "2=2." && completion.calculations.map(\.expression) == ["48/22"])
    } else {
      #expect(text == "=24>>" && completion.calculations.map(\.expression) == ["48/2"])
      #expect(completion.calculations.map(\.result) == ["24"])
    }
    #expect(completion.tokens.count == 3)
  }

  @Test func onlyWhatStandsInAnAnnotationIsComputed() async throws {
    let engine = try engine()
    for prompt in ["48/2", "<<48/2>>", "<<48/2\n", "<<48/0", "<<a", "<<", "<<48/2=3"] {
      let (text, _, completion) = try await answer(request(prompt, saying: "=", most: 3), on: engine)
      #expect(text == "===" && completion.calculations.isEmpty, "\(prompt)")
    }
    // Each annotation is computed, that of the prompt's end at once.
    #expect(try await answer(request("<<48/2=", saying: "a", most: 4), on: engine).text == "24>>a")
    #expect(try await answer(request("<<48/2=2", saying: "a", most: 3), on: engine).text == "4>>a")
  }

  @Test func stopsAndLengthsCutTheResult() async throws {
    let engine = try engine()
    var stopped = request("<<48/2", saying: "=", most: 20)
    stopped.stops = [">>"]
    var (text, _, completion) = try await answer(stopped, on: engine)
    #expect(text == "=24" && completion.reason == .stop)
    stopped.stops = ["4"]
    (text, _, completion) = try await answer(stopped, on: engine)
    #expect(text == "=2" && completion.reason == .stop)
    (text, _, completion) = try await answer(request("<<48/2", saying: "=", most: 2), on: engine)
    #expect(text == "=24" && completion.reason == .length && completion.tokens.count == 2)
    var long = request("<<48/2", saying: "=", most: 6)
    long.minTokens = 6
    long.stops = [">>"]
    (text, _, completion) = try await answer(long, on: engine)
    #expect(text == "=24>>===" && completion.tokens.count == 6)
  }

  @Test func everyTokenHasAProbability() async throws {
    let engine = try engine()
    var asked = request("<<48/2", saying: "=2", most: 4)
    asked.logProbabilities = 2
    let (text, probabilities, completion) = try await answer(asked, on: engine)
    #expect(text == "=24>>=2")
    #expect(probabilities.map(\.chosen.token) == completion.tokens)
    let tokens = asked.tokens + completion.tokens
    let scored = try await engine.logProbabilities(of: tokens).suffix(completion.tokens.count)
    for (one, other) in zip(probabilities, scored) { #expect(one.chosen.logProbability == other) }
  }

  @Test func aGrammarDecidesFirst() async throws {
    let engine = try engine()
    var asked = request("<<48/2", saying: "=", most: 8)
    asked.grammar = try grammar("=25>>a")
    #expect(try await answer(asked, on: engine).text == "=25>>a")
    asked.grammar = try grammar("=[0-9]+>>a")
    let (text, _, completion) = try await answer(asked, on: engine)
    #expect(text == "=24>>a" && completion.reason == .stop)
    // A text that may end too early for the least number of tokens.
    asked.grammar = try grammar("=24>>|=25>>aaaa")
    asked.minTokens = 6
    #expect(try await answer(asked, on: engine).text == "=25>>aaaa")
  }

  @Test func aSessionGoesOnWithinAResult() async throws {
    let engine = try engine()
    let session = Session(engine)
    session.append(Sums().encode("<<48/2", special: false))
    var sampling = Sampling()
    sampling.logitBias = [0: 1000]
    let first = try await session.generate(sampling: sampling, maxTokens: 2, calculates: true).text()
    #expect(first == "=24")
    let scratch = try TestData.Scratch()
    try session.save(to: scratch.file("state"))
    let second = try await session.generate(sampling: sampling, maxTokens: 3, calculates: true).text()
    #expect(second == ">>==")
    let restored = try Session(engine, restoring: scratch.file("state"))
    #expect(try await restored.generate(sampling: sampling, maxTokens: 3, calculates: true).text() == ">>==")
    #expect(restored.tokens == session.tokens)
  }

  @Test func neighboursChangeNothing() async throws {
    let engine = try engine()
    let requests = (0..<6).map { index in
      var asked = request("<<\(index)8/2", saying: index % 2 == 0 ? "=2" : "=", most: 12)
      asked.sampling.temperature = 1
      asked.sampling.seed = UInt64(index)
      asked.sampling.logitBias[0] = 6
      return asked
    }
    var alone: [[Int]] = []
    for asked in requests { alone.append(try await answer(asked, on: engine).completion.tokens) }
    let together = try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
      for (index, asked) in requests.enumerated() {
        group.addTask { (index, try await answer(asked, on: engine).completion.tokens) }
      }
      return try await group.reduce(into: [[Int]](repeating: [], count: requests.count)) { $0[$1.0] = $1.1 }
    }
    #expect(together == alone)
  }
}
