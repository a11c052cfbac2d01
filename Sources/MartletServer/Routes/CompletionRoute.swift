import Foundation
import Hummingbird
import MartletEngine
import MartletModels

/// POST /v1/completions
struct CompletionRoute: Sendable {
  let configuration: ServerConfiguration
  let model: ServedModel

  /// OpenAI's default, kept because clients count on it.
  static let defaultMaxTokens = 16

  func callAsFunction(_ request: Request, _ context: ServerContext) async throws -> Response {
    let ready = try model.get()
    let object = try await request.jsonObject(
      limit: configuration.maxBodyBytes, timeout: .seconds(configuration.readTimeout))
    var completion = try CompletionRequest(
      object, defaults: configuration.sampling(for: ready.loaded), mostChoices: configuration.mostChoices,
      loaded: ready.loaded)
    completion.settings.maxTokens = completion.settings.maxTokens ?? Self.defaultMaxTokens
    if configuration.logsText { context.record.note(prompt: completion.prompts.map(\.text).joined(separator: "\n")) }
    let watch = try await context.watch
    let reply = CompletionReply(completion, model: configuration.modelName)
    let record = context.record, logsText = configuration.logsText
    let asked = completion
    guard completion.settings.streams else {
      let (choices, usage) = try await watch.cancelling { [self] in
        var choices = reply.begin()
        if asked.echoes, asked.logProbabilities != nil { try await reply.scorePrompts(&choices, ready.engine) }
        var usage = Usage()
        for try await event in try start(asked, ready) {
          if case .text(_, let text, _) = event { record.noteText(text, keeps: logsText) }
          if case .finished(let counted) = event { usage = counted }
          reply.take(event, into: &choices)
        }
        return (choices, usage)
      }
      record.note(usage: usage)
      return Response(json: reply.json(choices, usage: usage))
    }
    let events = try start(completion, ready)
    return EventStream.response(
      events, watch: watch, pingInterval: configuration.pingInterval, first: reply.echoes()
    ) { event in
      switch event {
      case .text(_, let text, _): record.noteText(text, keeps: logsText)
      case .finished(let usage): record.note(usage: usage)
      default: break
      }
      return reply.chunks(event)
    }
  }

  private func start(_ completion: CompletionRequest, _ ready: ServedModel.Ready) throws -> AnswerEvents {
    var requests: [MartletEngine.Request] = []
    for prompt in completion.prompts {
      for choice in 0..<completion.settings.choices {
        var request = MartletEngine.Request(tokens: prompt.tokens)
        request.apply(completion.settings, loaded: ready.loaded)
        request.stops = completion.settings.stops
        request.logProbabilities = completion.logProbabilities
        request.sampling.seed &+= UInt64(choice)
        requests.append(request)
      }
    }
    return AnswerWriting().run(try ready.engine.generate(requests))
  }
}

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
