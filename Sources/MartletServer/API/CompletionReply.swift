import Foundation
import MartletEngine

/// Answers of /v1/completions.
struct CompletionReply: Sendable {
  struct Choice: Sendable {
    var text = ""
    var tokens: [(text: String, probability: TokenProbability?)] = []
    var reason = "stop"
  }

  private let id = "cmpl-" + UUID().uuidString.replacing("-", with: "").lowercased()
  private let created = Int(Date().timeIntervalSince1970)
  private let model: String
  private let prompts: [(tokens: [Int], text: String)]
  private let perPrompt: Int
  private let echoesPrompt: Bool
  private let givesLogProbabilities: Bool
  private let includesUsage: Bool

  init(_ request: CompletionRequest, model: String) {
    self.model = model
    prompts = request.prompts
    perPrompt = request.settings.choices
    echoesPrompt = request.echoes
    givesLogProbabilities = request.logProbabilities != nil
    includesUsage = request.settings.includesUsage
  }

  func begin() -> [Choice] {
    prompts.flatMap { prompt in
      [Choice](repeating: Choice(text: echoesPrompt ? prompt.text : ""), count: perPrompt)
    }
  }

  /// Log-probabilities of the prompts' own tokens; the first has none.
  func scorePrompts(_ choices: inout [Choice], _ engine: Engine) async throws {
    for (index, prompt) in prompts.enumerated() {
      let scores = try await engine.logProbabilities(of: prompt.tokens)
      let tokens = prompt.tokens.enumerated().map { place, token in
        let bytes = engine.loaded.tokenizer.bytes(of: token)
        let probability =
          place == 0
          ? nil
          : TokenProbability(
            chosen: .init(token: token, logProbability: scores[place - 1], bytes: bytes), alternatives: [])
        return (text: String(decoding: bytes, as: UTF8.self), probability: probability)
      }
      for choice in 0..<perPrompt { choices[index * perPrompt + choice].tokens = tokens }
    }
  }

  func take(_ event: AnswerEvent, into choices: inout [Choice]) {
    switch event {
    case .text(let choice, let text, let tokens):
      choices[choice].text += text
      choices[choice].tokens += tokens.map { ($0.text, $0.probability) }
    case .ended(let choice, let reason): choices[choice].reason = reason
    default: break
    }
  }

  private func head() -> JSONObject {
    var head = JSONObject()
    head.append("id", .string(id))
    head.append("object", "text_completion")
    head.append("created", .integer(created))
    head.append("model", .string(model))
    return head
  }

  func json(_ choices: [Choice], usage: Usage) -> JSONValue {
    var object = head()
    object.append(
      "choices",
      .array(
        choices.enumerated().map { index, choice in
          [
            "text": .string(choice.text), "index": .integer(index),
            "logprobs": givesLogProbabilities ? Self.logProbabilities(choice.tokens) : .null,
            "finish_reason": .string(choice.reason),
          ]
        }))
    object.append("usage", usage.json)
    return .object(object)
  }

  private static func logProbabilities(
    _ tokens: [(text: String, probability: TokenProbability?)], offset: Int = 0
  ) -> JSONValue {
    var offset = offset
    var offsets: [JSONValue] = []
    for token in tokens {
      offsets.append(.integer(offset))
      offset += token.text.unicodeScalars.count
    }
    return [
      "tokens": .array(tokens.map { .string($0.text) }),
      "token_logprobs": .array(
        tokens.map { $0.probability.map { TokenLedger.Entry.number($0.chosen.logProbability) } ?? .null }),
      "top_logprobs": .array(
        tokens.map { token in
          guard let alternatives = token.probability?.alternatives, !alternatives.isEmpty else { return .null }
          var object = JSONObject()
          for candidate in alternatives {
            object.append(
              String(decoding: candidate.bytes, as: UTF8.self), TokenLedger.Entry.number(candidate.logProbability))
          }
          return .object(object)
        }),
      "text_offset": .array(offsets),
    ]
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

  func echoes() -> [JSONValue] {
    guard echoesPrompt else { return [] }
    return begin().enumerated().map { piece($0, $1.text) }
  }

  func chunks(_ event: AnswerEvent) -> [JSONValue] {
    switch event {
    case .text(let choice, let text, let tokens):
      return [
        piece(
          choice, text,
          logProbabilities: givesLogProbabilities
            ? Self.logProbabilities(tokens.map { ($0.text, $0.probability) }) : .null)
      ]
    case .ended(let choice, let reason): return [piece(choice, "", reason: reason)]
    case .finished(let usage):
      guard includesUsage else { return [] }
      var object = head()
      object.append("choices", [])
      object.append("usage", usage.json)
      return [.object(object)]
    default: return []
    }
  }
}
