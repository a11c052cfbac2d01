import Foundation
import MartletData
import MartletEngine

/// Answers of /v1/chat/completions, whole and in pieces.
struct ChatReply: Sendable {
  let id = "chatcmpl-" + UUID().uuidString.replacing("-", with: "").lowercased()
  let created = Int(Date().timeIntervalSince1970)
  let model: String
  let fingerprint: String
  /// Calls are told as the old `function_call`.
  let isLegacy: Bool

  init(model: String, fingerprint: String, isLegacy: Bool = false) {
    self.model = model
    self.isLegacy = isLegacy
    self.fingerprint = "martlet-" + fingerprint.prefix(12)
  }

  private func head(_ object: String) -> JSONObject {
    var head = JSONObject()
    head.append("id", .string(id))
    head.append("object", .string(object))
    head.append("created", .integer(created))
    head.append("model", .string(model))
    head.append("system_fingerprint", .string(fingerprint))
    return head
  }

  // MARK: whole

  /// An answer that is collected before it is sent.
  struct Whole: Sendable {
    struct Choice: Sendable {
      var text = ""
      var tokens: [TokenLedger.Entry] = []
      var calls: [(name: String, arguments: String)] = []
      var reason = "stop"
    }
    var choices: [Choice]
    var edits = EditNews()
    var usage = Usage()
    var skeleton: JSONValue?

    init(choices: Int) { self.choices = [Choice](repeating: Choice(), count: choices) }

    mutating func take(_ event: AnswerEvent) {
      switch event {
      case .text(let choice, let text, let tokens):
        choices[choice].text += text
        choices[choice].tokens += tokens
      case .toolCall(let choice, _, let name): choices[choice].calls.append((name, ""))
      case .toolArguments(let choice, let call, let text): choices[choice].calls[call].arguments += text
      case .ended(let choice, let reason, _): choices[choice].reason = reason
      case .edited, .heldBack: edits.take(event)
      case .skeleton(let news): if news["event"] == "finished" { skeleton = news }
      case .finished(let usage): self.usage = usage
      }
    }
  }

  func json(_ whole: Whole, withLogProbabilities: Bool) -> JSONValue {
    var object = head("chat.completion")
    object.append(
      "choices",
      .array(
        whole.choices.enumerated().map { index, choice in
          var message: JSONObject = JSONObject()
          message.append("role", "assistant")
          message.append("content", choice.text.isEmpty && !choice.calls.isEmpty ? .null : .string(choice.text))
          message.append("refusal", .null)
          if isLegacy, let call = choice.calls.first {
            message.append("function_call", ["name": .string(call.name), "arguments": .string(call.arguments)])
          } else if !choice.calls.isEmpty {
            message.append(
              "tool_calls",
              .array(
                choice.calls.enumerated().map { number, call in
                  [
                    "id": .string(callID(index, number)), "type": "function",
                    "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
                  ]
                }))
          }
          return [
            "index": .integer(index), "message": .object(message),
            "logprobs": withLogProbabilities
              ? ["content": .array(choice.tokens.map { $0.chatJSON() }), "refusal": .null] : .null,
            "finish_reason": .string(choice.reason),
          ]
        }))
    object.append("usage", whole.usage.json)
    var martlet = JSONObject()
    if let skeleton = whole.skeleton { martlet.append("skeleton", skeleton) }
    for (name, value) in whole.edits.members(choices: whole.choices.count) { martlet.append(name, value) }
    if !martlet.members.isEmpty { object.append("martlet", .object(martlet)) }
    return .object(object)
  }

  private func callID(_ choice: Int, _ call: Int) -> String { "call_\(id.suffix(20))\(choice)\(call)" }

  // MARK: pieces

  private func chunk(_ choices: [JSONValue]) -> JSONObject {
    var object = head("chat.completion.chunk")
    object.append("choices", .array(choices))
    return object
  }

  private func piece(
    _ choice: Int, _ delta: JSONValue, logProbabilities: JSONValue = .null, reason: String? = nil
  ) -> JSONValue {
    .object(
      chunk([
        [
          "index": .integer(choice), "delta": delta, "logprobs": logProbabilities,
          "finish_reason": reason.map(JSONValue.string) ?? .null,
        ]
      ]))
  }

  /// The first piece of a choice.
  func begin(_ choice: Int) -> JSONValue { piece(choice, ["role": "assistant", "content": "", "refusal": .null]) }

  func chunks(
    _ event: AnswerEvent, includesUsage: Bool, withLogProbabilities: Bool, showsSkeleton: Bool
  ) -> [JSONValue] {
    switch event {
    case .text(let choice, let text, let tokens):
      return [
        piece(
          choice, ["content": .string(text)],
          logProbabilities: withLogProbabilities
            ? ["content": .array(tokens.map { $0.chatJSON() }), "refusal": .null] : .null)
      ]
    case .toolCall(let choice, _, let name) where isLegacy:
      return [piece(choice, ["function_call": ["name": .string(name), "arguments": ""]])]
    case .toolArguments(let choice, _, let text) where isLegacy:
      return [piece(choice, ["function_call": ["arguments": .string(text)]])]
    case .toolCall(let choice, let call, let name):
      return [
        piece(
          choice,
          [
            "tool_calls": [
              [
                "index": .integer(call), "id": .string(callID(choice, call)), "type": "function",
                "function": ["name": .string(name), "arguments": ""],
              ]
            ]
          ])
      ]
    case .toolArguments(let choice, let call, let text):
      return [
        piece(choice, ["tool_calls": [["index": .integer(call), "function": ["arguments": .string(text)]]]])
      ]
    case .ended(let choice, let reason, _): return [piece(choice, [:], reason: reason)]
    case .edited, .heldBack:
      guard let (choice, news) = EditNews.piece(event) else { return [] }
      var object = chunk([["index": .integer(choice), "delta": [:], "logprobs": .null, "finish_reason": .null]])
      object.append("martlet", news)
      return [.object(object)]
    case .skeleton(let news):
      guard showsSkeleton else { return [] }
      var object = chunk([])
      object.append("martlet", news)
      return [.object(object)]
    case .finished(let usage):
      guard includesUsage else { return [] }
      var object = chunk([])
      object.append("usage", usage.json)
      return [.object(object)]
    }
  }
}
