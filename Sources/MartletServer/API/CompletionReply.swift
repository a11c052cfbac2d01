import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletTokenizers
import Synchronization

/// Answers of /v1/completions.
struct CompletionReply: Sendable {
  /// A token as the answer tells it.
  struct Token: Sendable {
    var text: String
    /// nil for the first token of a prompt, which nothing comes before.
    var probability: TokenProbability?
    /// How much text it adds, in code points.
    var length: Int

    init(_ text: String, _ probability: TokenProbability?, length: Int? = nil) {
      self.text = text
      self.probability = probability
      self.length = length ?? text.unicodeScalars.count
    }
  }

  struct Choice: Sendable {
    var text = ""
    var tokens: [Token] = []
    var reason = "stop"
  }

  private let id = "cmpl-" + UUID().uuidString.replacing("-", with: "").lowercased()
  private let created = Int(Date().timeIntervalSince1970)
  private let model: String
  private let prompts: [(tokens: [Int], text: String)]
  private let perPrompt: Int
  private let echoesPrompt: Bool
  private let logProbabilities: Int?
  private let start: StartState?
  private let includesUsage: Bool

  init(_ request: CompletionRequest, model: String) {
    self.model = model
    prompts = request.prompts
    perPrompt = request.settings.choices
    echoesPrompt = request.echoes
    logProbabilities = request.logProbabilities
    start = request.start
    includesUsage = request.settings.includesUsage
  }

  /// The choices before anything is generated: empty, or with their prompts, and the log-probabilities of the prompts'
  /// own tokens where they are asked for.
  func begin(_ engine: Engine) async throws -> [Choice] {
    var scores: [[Token]]?
    if echoesPrompt, let logProbabilities { scores = try await self.scores(alternatives: logProbabilities, engine) }
    return prompts.enumerated().flatMap { index, prompt in
      let choice = Choice(text: echoesPrompt ? prompt.text : "", tokens: scores?[index] ?? [])
      return [Choice](repeating: choice, count: perPrompt)
    }
  }

  /// The tokens of all prompts, which are read together.
  private func scores(alternatives: Int, _ engine: Engine) async throws -> [[Token]] {
    try await withThrowingTaskGroup(of: (Int, [Token]).self) { group in
      for (index, prompt) in prompts.enumerated() {
        group.addTask { [start] in
          (index, try await Self.score(prompt.tokens, alternatives: alternatives, start, engine))
        }
      }
      return try await group.reduce(into: [[Token]](repeating: [], count: prompts.count)) { $0[$1.0] = $1.1 }
    }
  }

  private static func score(
    _ prompt: [Int], alternatives: Int, _ start: StartState?, _ engine: Engine
  ) async throws -> [Token] {
    let scores: [TokenProbability?] =
      [nil] + (try await engine.tokenProbabilities(of: prompt, alternatives: alternatives, start: start))
    var decoder = StreamingDecoder()
    return zip(prompt, scores).map { token, score in
      let bytes = engine.loaded.tokenizer.bytes(of: token)
      let length = decoder.push(bytes).unicodeScalars.count
      return Token(TokenLedger.Entry.name(bytes, mark: "bytes:"), score, length: length)
    }
  }

  func take(_ event: AnswerEvent, into choices: inout [Choice]) {
    switch event {
    case .text(let choice, let text, let tokens):
      choices[choice].text += text
      choices[choice].tokens += tokens.map { Token($0.text, $0.probability) }
    case .ended(let choice, let reason, let endToken):
      choices[choice].reason = reason
      choices[choice].tokens += endToken.map(Self.ending) ?? []
    default: break
    }
  }

  /// The token that ended an answer has a probability, and no text.
  private static func ending(_ token: TokenProbability) -> [Token] { [Token("", token)] }

  private func head() -> JSONObject {
    var head = JSONObject()
    head.append("id", .string(id))
    head.append("object", "text_completion")
    head.append("created", .integer(created))
    head.append("model", .string(model))
    return head
  }

  func json(_ choices: [Choice], usage: Usage, edits: EditNews = EditNews()) -> JSONValue {
    var object = head()
    object.append(
      "choices",
      .array(
        choices.enumerated().map { index, choice in
          [
            "text": .string(choice.text), "index": .integer(index),
            "logprobs": json(choice.tokens, offset: 0),
            "finish_reason": .string(choice.reason),
          ]
        }))
    object.append("usage", usage.json)
    var martlet = JSONObject()
    for (name, value) in edits.members(choices: choices.count) { martlet.append(name, value) }
    if !martlet.members.isEmpty { object.append("martlet", .object(martlet)) }
    return .object(object)
  }

  /// - Parameter offset: code points of the answer before the first token.
  private func json(_ tokens: [Token], offset: Int) -> JSONValue {
    guard logProbabilities != nil else { return .null }
    var offset = offset
    var offsets: [JSONValue] = []
    for token in tokens {
      offsets.append(.integer(offset))
      offset += token.length
    }
    return [
      "tokens": .array(tokens.map { .string($0.text) }),
      "token_logprobs": .array(
        tokens.map { $0.probability.map { TokenLedger.Entry.number($0.chosen.logProbability) } ?? .null }),
      "top_logprobs": .array(tokens.map { $0.probability.map { Self.top($0) } ?? .null }),
      "text_offset": .array(offsets),
    ]
  }

  /// The likeliest tokens by their texts, and the chosen one in any case. Of two with the same text the likelier stands.
  private static func top(_ probability: TokenProbability) -> JSONValue {
    var object = JSONObject()
    var names: Set<String> = []
    for candidate in probability.alternatives + [probability.chosen] {
      let name = TokenLedger.Entry.name(candidate.bytes, mark: "bytes:")
      guard names.insert(name).inserted else { continue }
      object.append(name, TokenLedger.Entry.number(candidate.logProbability))
    }
    return .object(object)
  }

  private func piece(_ choice: Int, _ text: String, logProbabilities: JSONValue = .null, reason: String? = nil)
    -> JSONValue
  {
    var object = head()
    object.append(
      "choices",
      [
        [
          "text": .string(text), "index": .integer(choice), "logprobs": logProbabilities,
          "finish_reason": reason.map(JSONValue.string) ?? .null,
        ]
      ])
    return .object(object)
  }

  /// The first pieces of a stream, which repeat the prompts.
  func echoes(_ choices: [Choice]) -> [JSONValue] {
    guard echoesPrompt else { return [] }
    return choices.enumerated().map { piece($0, $1.text, logProbabilities: json($1.tokens, offset: 0)) }
  }

  func chunks(_ event: AnswerEvent, _ position: StreamPosition) -> [JSONValue] {
    switch event {
    case .text(let choice, let text, let tokens):
      let offset = position.advance(choice, by: text)
      return [
        piece(choice, text, logProbabilities: json(tokens.map { Token($0.text, $0.probability) }, offset: offset))
      ]
    case .ended(let choice, let reason, let endToken):
      let offset = position.advance(choice, by: "")
      let last = endToken.map { json(Self.ending($0), offset: offset) } ?? .null
      return [piece(choice, "", logProbabilities: last, reason: reason)]
    case .finished(let usage):
      guard includesUsage else { return [] }
      var object = head()
      object.append("choices", [])
      object.append("usage", usage.json)
      return [.object(object)]
    case .edited, .heldBack:
      guard let (choice, news) = EditNews.piece(event) else { return [] }
      var object = head()
      object.append(
        "choices", [["text": "", "index": .integer(choice), "logprobs": .null, "finish_reason": .null]])
      object.append("martlet", news)
      return [.object(object)]
    default: return []
    }
  }

  /// Code points of each choice that a stream has sent, for the offsets of what follows.
  final class StreamPosition: Sendable {
    private let counts: Mutex<[Int]>

    init(_ choices: [Choice]) { counts = Mutex(choices.map { $0.text.unicodeScalars.count }) }

    /// - Returns: the count before `text`.
    func advance(_ choice: Int, by text: String) -> Int {
      counts.withLock { counts in
        guard counts.indices.contains(choice) else { return 0 }
        defer { counts[choice] += text.unicodeScalars.count }
        return counts[choice]
      }
    }
  }
}
