import Foundation
import MartletCheckpoints
import MartletEngine
import MartletModels
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEvaluation

/// 64 letters as 64 tokens: enough for the small models of Tests/Fixtures.
struct Letters: Tokenizer {
  var vocabularySize: Int { 64 }
  var name: String { "letters" }
  var endOfText: Set<Int> { [0] }
  var beginOfText: Int?
  var prefixToken: Int? = 0
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map { Int($0) % 64 } }
  func bytes(of token: Int) -> [UInt8] { [UInt8(64 + token)] }
}

enum SmallModel {
  static func loaded(_ name: String, tokenizer: any Tokenizer = Letters()) throws -> LoadedModel {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return LoadedModel(model: model, tokenizer: tokenizer, chatFormat: ChatFormat(.plain))
  }

  /// Rows with contexts in common, among them and within them, and some that are one the beginning of another.
  static let rows: [[TokenizedRequest]] = {
    var random = TestRandom(seed: 7)
    func tokens(_ count: Int) -> [Int] { (0..<count).map { _ in Int.random(in: 0..<64, using: &random) } }
    let shots = tokens(90)
    var rows: [[TokenizedRequest]] = (0..<12).map { row in
      let context = (row % 3 == 0 ? [] : shots) + tokens(1 + row * 5 % 23)
      let stem = tokens(row % 6)
      return (0..<4).map { TokenizedRequest(context: context, continuation: stem + tokens(1 + ($0 + row) % 5)) }
    }
    rows.append([])
    let one = rows[1][0]
    rows.append([one, one, TokenizedRequest(context: one.context, continuation: one.continuation + tokens(4))])
    rows.append([TokenizedRequest(context: Array(one.context.prefix(3)), continuation: one.continuation)])
    return rows
  }()
}

struct ModelScorerTests {
  @Test(arguments: ["rwkv-5.2.pth", "rwkv-5.0.pth", "llama", "mistral"])
  func packedScoresAreThoseOfEachRequestAlone(name: String) async throws {
    let loaded = try SmallModel.loaded(name)
    let alone = try await ModelScorer(loaded).withoutPacking.scores(SmallModel.rows)
    for tokens in [1, 7, 64, 4096] {
      var options = ModelScorer.Options()
      options.tokensPerPass = tokens
      var finished: [Int: [ContinuationScore]] = [:]
      let packed = try await ModelScorer(loaded, options: options).scores(SmallModel.rows) { finished[$0] = $1 }
      #expect(packed == alone)
      #expect(SmallModel.rows.indices.allSatisfy { finished[$0] == packed[$0] })
    }
  }

  /// Against logits of the whole text, with the softmax in double precision.
  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func scoresAreSumsOfLogProbabilities(name: String) async throws {
    let loaded = try SmallModel.loaded(name)
    let scores = try await ModelScorer(loaded).scores(SmallModel.rows)
    for (row, requests) in SmallModel.rows.enumerated() {
      for (request, score) in zip(requests, scores[row]) {
        let tokens = request.context + request.continuation
        let logits = loaded.model.forward(Batch(tokens, state: loaded.model.makeState(), outputs: .all))
        var sum = 0.0, isGreedy = true
        for place in request.context.count..<tokens.count {
          let values = logits.rows(place - 1..<place).doubleValues
          let top = values.max() ?? 0
          sum += values[tokens[place]] - top - log(values.reduce(0) { $0 + exp($1 - top) })
          isGreedy = isGreedy && values[tokens[place]] == top
        }
        #expect(abs(score.logLikelihood - sum) < 1e-4)
        #expect(score.isGreedy == isGreedy)
        #expect(score.tokenLogLikelihoods.count == request.continuation.count)
      }
    }
  }

  @Test func whiteSpaceAtTheEndOfAContextIsScored() throws {
    let scorer = ModelScorer(try SmallModel.loaded("llama"))
    let moved = try scorer.encode(ContinuationRequest(context: "AB \n", continuation: "C"))
    #expect(moved == TokenizedRequest(context: [1, 2], continuation: [32, 10, 3]))
    let empty = try scorer.encode(ContinuationRequest(context: "", continuation: "AB"))
    #expect(empty == TokenizedRequest(context: [0], continuation: [1, 2]))
    // The prefix token is not put before itself.
    let begun = try scorer.encode(ContinuationRequest(context: "", continuation: "@A"))
    #expect(begun == TokenizedRequest(context: [0], continuation: [1]))
    let blank = try scorer.encode(ContinuationRequest(context: "  ", continuation: "A"))
    #expect(blank == TokenizedRequest(context: [0], continuation: [32, 32, 1]))
    #expect(throws: ScoringError.self) { try scorer.encode(ContinuationRequest(context: "A", continuation: "")) }
    #expect(throws: ScoringError.self) { try scorer.encode(ContinuationRequest(context: "", continuation: "@")) }
  }

  @Test func theTokenThatBeginsTextsIsAddedOnce() throws {
    let scorer = ModelScorer(try SmallModel.loaded("llama", tokenizer: Letters(beginOfText: 5, prefixToken: 5)))
    let added = try scorer.encode(ContinuationRequest(context: "AB", continuation: "C"))
    #expect(added == TokenizedRequest(context: [5, 1, 2], continuation: [3]))
    let given = try scorer.encode(ContinuationRequest(context: "EB", continuation: "C"))
    #expect(given == TokenizedRequest(context: [5, 2], continuation: [3]))
    let empty = try scorer.encode(ContinuationRequest(context: "", continuation: "C"))
    #expect(empty == TokenizedRequest(context: [5], continuation: [3]))
  }

  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func longContextsLoseTheirBeginning(name: String) async throws {
    let loaded = try SmallModel.loaded(name)
    var options = ModelScorer.Options()
    options.maxLength = 20
    let scorer = ModelScorer(loaded, options: options)
    let tokens = (0..<2000).map { $0 * 7 % 64 }
    let long = TokenizedRequest(context: tokens, continuation: [3, 4, 5])
    // Twenty tokens are read before the last one: 18 of the context and two of the continuation.
    let short = TokenizedRequest(context: tokens.suffix(18), continuation: [3, 4, 5])
    let scores = try await scorer.scores([[long], [short]])
    #expect(scores[0][0].tokenLogLikelihoods == scores[1][0].tokenLogLikelihoods)
    #expect(scores[0][0].truncatedTokens == 1982 && scores[1][0].truncatedTokens == 0)
    let fitting = TokenizedRequest(context: [1], continuation: Array(tokens.prefix(20)))
    #expect(try await scorer.scores([[fitting]])[0][0].truncatedTokens == 0)
    let tooLong = TokenizedRequest(context: [1], continuation: Array(tokens.prefix(21)))
    await #expect(throws: ScoringError.self) { try await scorer.scores([[tooLong]]) }
    let outside = TokenizedRequest(context: [1], continuation: [64])
    await #expect(throws: ModelError.self) { try await scorer.scores([[outside]]) }
    let nothing = TokenizedRequest(context: [], continuation: [1])
    await #expect(throws: ScoringError.self) { try await scorer.scores([[nothing]]) }
  }

  /// An intervention at the end of a context acts on what follows it, and on nothing else.
  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func interventionsActAtTheEndOfAContext(name: String) async throws {
    let loaded = try SmallModel.loaded(name)
    let model = try #require(loaded.model as? any TrainableModel)
    var layers: [String] = []
    var copy = model
    copy.visitLinears { name, _ in layers.append(name) }
    let layer = try #require(layers.last { $0 != model.description.defaults.headName })
    let shots = (0..<40).map { $0 * 11 % 64 }
    let rows: [[TokenizedRequest]] = (0..<6).map { row in
      (0..<3).map { TokenizedRequest(context: shots + [row, row + 1], continuation: [$0, 9, $0 + row]) }
    }
    func scorer(_ source: (any InterventionSource)?, packing: Bool = true, tokens: Int = 1024) -> ModelScorer {
      var options = ModelScorer.Options()
      options.interventions = source
      options.packing = packing
      options.tokensPerPass = tokens
      return ModelScorer(loaded, options: options)
    }
    let plain = try await scorer(nil).scores(rows)
    let source = LastRows(layer: layer, acts: { $0.last == 3 })
    let changed = try await scorer(source).scores(rows)
    for row in rows.indices {
      for place in rows[row].indices {
        let (before, after) = (plain[row][place], changed[row][place])
        #expect(after.influence == (row == 2 ? .acted : .none))
        #expect((after.logLikelihood == before.logLikelihood) == (row != 2))
      }
    }
    #expect(try await scorer(source, packing: false).scores(rows) == changed)
    #expect(try await scorer(source, tokens: 5).scores(rows) == changed)
    // Where an answer could only be kept to words, the score is the model's and says so.
    let words = try await scorer(LastRows(layer: layer, acts: { _ in true }, isGrammar: true)).scores(rows)
    #expect(words.joined().allSatisfy { $0.influence == .wordsOnly })
    #expect(words.joined().map(\.logLikelihood) == plain.joined().map(\.logLikelihood))
    // The prompt of a conversation may end in white space, which counts to the continuation: what acts, acts behind it.
    let later = rows.map { requests in
      requests.map { request in
        var request = request
        request.continuation.insert(request.context.removeLast(), at: 0)
        request.promptTail = 1
        return request
      }
    }
    for (row, scores) in try await scorer(source).scores(later).enumerated() {
      #expect(scores.map { $0.tokenLogLikelihoods.dropFirst() } == changed[row].map { $0.tokenLogLikelihoods[...] })
      #expect(scores.map(\.influence) == changed[row].map(\.influence))
    }
    let across = later.map { requests in
      requests.map { request in
        var request = request
        request.promptTail = nil
        return request
      }
    }
    let all = LastRows(layer: layer, acts: { _ in true })
    let unmoved = try await scorer(all).scores(across).joined()
    #expect(unmoved.allSatisfy { $0.influence == .wordsOnly })
    #expect(unmoved.map(\.logLikelihood) == (try await scorer(nil).scores(later)).joined().map(\.logLikelihood))
    // The engine's first token after the same prompt is the one that the score calls the most likely.
    var options = Engine.Options()
    options.interventions = source
    var request = Request(tokens: rows[2][0].context)
    request.question = Question("", format: .raw)
    request.maxTokens = 3
    var answer: [Int] = []
    for try await event in try Engine(loaded, options: options).generate(request) {
      if case .finished(let completion) = event { answer = completion.tokens }
    }
    if answer.count == 3 {
      let greedy = TokenizedRequest(context: rows[2][0].context, continuation: answer)
      #expect(try await scorer(source).scores([[greedy]])[0][0].isGreedy)
    }
  }
}

/// Doubles the last two rows of a layer's output at the end of some prompts, or prescribes the answer's words.
private struct LastRows: InterventionSource {
  let layer: String
  let acts: @Sendable ([Int]) -> Bool
  var isGrammar = false

  func plan(for request: Request, loaded: LoadedModel) -> InterventionPlan {
    var plan = InterventionPlan()
    guard acts(request.tokens) else { return plan }
    if isGrammar {
      plan.grammar = try? Grammar { _ in .literal("A") }
    } else {
      plan.interventions = [
        Intervention(layer: layer, rows: .endOfPrompt(2)) { pass in
          Intervention.Effect(replacing: 0..<2, with: pass.output * 2)
        }
      ]
    }
    return plan
  }
}
