import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEngine

/// Random settings of every kind together, against a plain computation in double precision.
struct SamplerPropertyTests {
  /// What the documentation of ``Sampling`` says, step by step: the probability of every token.
  private func distribution(
    _ logits: [Float], _ options: Sampling, counts: [Int: Float], allowed: Set<Int>
  ) -> [Double] {
    var row = logits.map(Double.init)
    // A logit is kept in single precision: beside a bias of -10,000 it has three digits behind the point.
    for (token, bias) in options.logitBias { row[token] = Double(Float(row[token] + Double(bias))) }
    for (token, count) in counts {
      row[token] =
        (row[token] > 0
          ? row[token] / Double(options.repetitionPenalty) : row[token] * Double(options.repetitionPenalty))
        - Double(options.presencePenalty) - Double(options.frequencyPenalty) * Double(count)
    }
    let temperature = Double(options.temperature)
    func softmax(_ temperature: Double) -> [(token: Int, probability: Double)] {
      let top = allowed.map { row[$0] }.max() ?? 0
      let weights = allowed.map { (token: $0, probability: exp((row[$0] - top) / temperature)) }
      let total = weights.reduce(0) { $0 + $1.probability }
      return weights.map { ($0.token, $0.probability / total) }
        .sorted { ($0.probability, $1.token) > ($1.probability, $0.token) }
    }
    var kept = softmax(options.truncatesFirst ? 1 : temperature)
    if options.topK > 0 { kept = Array(kept.prefix(options.topK)) }
    if options.topP < 1 {
      var sum = 0.0
      let count = kept.firstIndex {
        sum += $0.probability
        return sum >= Double(options.topP)
      }
      if let count { kept = Array(kept[...count]) }
    }
    if options.minP > 0 {
      let floor = kept[0].probability * Double(options.minP)
      kept = kept.filter { $0.probability >= floor }
    }
    var result = [Double](repeating: 0, count: logits.count)
    for candidate in kept {
      result[candidate.token] =
        options.truncatesFirst ? pow(candidate.probability, 1 / temperature) : candidate.probability
    }
    let total = result.reduce(0, +)
    return result.map { $0 / total }
  }

  /// 100,000 draws of 250 settings.
  @Test func oddsAreRight() throws {
    var random = RandomStream(seed: 20)
    func chance(_ share: Double) -> Bool { random.uniform() < share }
    for round in 0..<250 {
      let logits = (0..<50).map { _ in Float(random.uniform() * 12 - 6) }
      var sampling = Sampling()
      sampling.seed = UInt64(round)
      sampling.temperature = [0.05, 0.1, 0.3, 0.7, 1, 1.5, 2][Int(random.uniform() * 7)]
      sampling.truncatesFirst = chance(0.4)
      if chance(0.4) { sampling.topP = Float(0.05 + random.uniform() * 0.94) }
      if chance(0.3) { sampling.topK = 1 + Int(random.uniform() * 20) }
      if chance(0.3) { sampling.minP = Float(random.uniform() * 0.3) }
      if chance(0.4) { sampling.repetitionPenalty = Float(0.5 + random.uniform() * 2) }
      if chance(0.4) { sampling.presencePenalty = Float(random.uniform() * 4 - 2) }
      if chance(0.4) { sampling.frequencyPenalty = Float(random.uniform() * 4 - 2) }
      if chance(0.5) {
        for _ in 0..<10 { sampling.logitBias[Int(random.uniform() * 50)] = Float(random.uniform() * 20 - 10) }
      }
      // Bans and the likeliest tokens themselves among them; now and then all tokens are banned alike.
      if chance(0.3) { for token in 0..<10 { sampling.logitBias[token] = -10_000 } }
      if chance(0.05) { for token in 0..<50 { sampling.logitBias[token] = -10_000 } }
      try sampling.validate()
      var counts: [Int: Float] = [:]
      var sampler = Sampler(sampling)
      for _ in 0..<Int(random.uniform() * 30) {
        let token = Int(random.uniform() * 50)
        counts[token, default: 0] += 1
        sampler.observe(token)
      }
      var allowed = Set(0..<50)
      let isConstrained = chance(0.6)
      if isConstrained {
        let share = random.uniform()
        allowed = Set((0..<50).filter { _ in random.uniform() < share })
        allowed.insert(Int(random.uniform() * 50))
      }
      let wanted = distribution(logits, sampling, counts: counts, allowed: allowed)
      let draws = 400
      var seen = [Double](repeating: 0, count: 50)
      for _ in 0..<draws {
        let token = try logits.withUnsafeBufferPointer { row throws(SamplingError) in
          isConstrained ? try sampler.sample(row, allows: allowed.contains) : try sampler.sample(row)
        }
        seen[token] += 1 / Double(draws)
      }
      for token in 0..<50 {
        let deviation = (wanted[token] * (1 - wanted[token]) / Double(draws)).squareRoot()
        #expect(
          abs(seen[token] - wanted[token]) <= 6 * deviation + 0.004, "round \(round), token \(token), \(sampling)")
        #expect(allowed.contains(token) || seen[token] == 0)
      }
    }
  }

  @Test func nothingAllowedIsAnError() {
    let logits: [Float] = [1, 2, 3]
    for temperature in [0, 0.1, 1] as [Float] {
      for (topP, typicalP) in [(0.5, 1), (1, 1), (1, 0.5), (0.5, 0.5)] as [(Float, Float)] {
        var sampling = Sampling()
        sampling.temperature = temperature
        (sampling.topP, sampling.typicalP) = (topP, typicalP)
        var sampler = Sampler(sampling)
        #expect(throws: SamplingError.nothingAllowed) {
          try logits.withUnsafeBufferPointer { try sampler.sample($0) { _ in false } }
        }
      }
    }
  }

  /// Some 100,000 tokens of a small model under grammars, penalties and biases: whatever ends by itself is a text of
  /// its grammar.
  @Test(arguments: ["llama", "rwkv-5.2.pth"]) func grammarsAreKept(name: String) async throws {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    let engine = Engine(LoadedModel(model: model, tokenizer: Signs(), chatFormat: ChatFormat(.plain)))
    let schemas: [JSONValue] = [
      ["type": "object", "properties": ["a": ["type": "integer"], "b": ["type": "string"]], "required": ["a"]],
      ["type": "array", "items": ["enum": ["x", 12, nil, true]], "minItems": 2],
      ["type": "string", "pattern": "^[ab]{2,5}(c|de)?$"],
      ["anyOf": [["type": "integer", "minimum": -3, "maximum": 40], ["type": "null"]]],
    ]
    let grammars = try schemas.map { try Grammar.jsonSchema($0) } + [Grammar.jsonObject()]
    var random = RandomStream(seed: 5)
    var ended = 0, drawn = 0
    for round in 0..<25 {
      let grammar = grammars[round % grammars.count]
      var requests: [Request] = []
      for _ in 0..<40 {
        var request = Request(tokens: [Int(random.uniform() * 64)])
        request.grammar = grammar
        request.endTokens = [63]
        request.maxTokens = 60
        request.sampling.seed = random.next()
        request.sampling.temperature = [0, .leastNonzeroMagnitude, 0.05, 0.1, 0.3, 1, 2][Int(random.uniform() * 7)]
        request.sampling.truncatesFirst = random.uniform() < 0.3
        if random.uniform() < 0.5 { request.sampling.topP = Float(0.01 + random.uniform() * 0.99) }
        if random.uniform() < 0.3 { request.sampling.topK = 1 + Int(random.uniform() * 5) }
        if random.uniform() < 0.3 { request.sampling.minP = Float(random.uniform()) }
        if random.uniform() < 0.2 { request.sampling.typicalP = Float(0.1 + random.uniform() * 0.9) }
        if random.uniform() < 0.5 { request.sampling.repetitionPenalty = Float(0.01 + random.uniform() * 99) }
        if random.uniform() < 0.5 { request.sampling.presencePenalty = Float(random.uniform() * 4 - 2) }
        if random.uniform() < 0.5 { request.sampling.frequencyPenalty = Float(random.uniform() * 4 - 2) }
        for token in 0..<64 where random.uniform() < 0.3 {
          request.sampling.logitBias[token] = random.uniform() < 0.5 ? -10_000 : 10_000
        }
        requests.append(request)
      }
      for stream in try engine.generate(requests) {
        var text = ""
        for try await event in stream {
          switch event {
          case .text(let piece): text += piece
          case .token: break
          case .finished(let end):
            drawn += end.tokens.count
            guard end.reason == .stop else { continue }
            ended += 1
            #expect(grammar.accepts(text), "\(text)")
          }
        }
      }
    }
    #expect(ended > 300 && drawn > 10_000, "\(ended) answers ended by themselves, \(drawn) tokens")
  }
}

/// 64 tokens that JSON is made of, some of several bytes; the last one ends a text.
private struct Signs: Tokenizer {
  private static let texts: [String] =
    ["{", "}", "[", "]", ":", ",", "\"", "\\", " ", "{\"", "\":", "\", \"", "true", "null", "false", "-", ".", "\n"]
    + "abcdefghijklmnopqrstuvwxyz0123456789".map(String.init)
    + ["ab", "de", "12", "é", "\"a\": ", "\"}", "x", "\u{1}", ""]
  var vocabularySize: Int { 64 }
  var name: String { "signs" }
  var endOfText: Set<Int> { [63] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { [0] }
  func bytes(of token: Int) -> [UInt8] { token < Self.texts.count ? Array(Self.texts[token].utf8) : [] }
}
