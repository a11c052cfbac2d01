import Foundation
import MartletEngine
import MartletModels

/// Greedy answers, as edits are verified and measured with: what a value does by itself.
package enum EditAnswers {
  package static func request(
    _ tokens: [Int], question: Question?, edit: (any PromptEdit)?, limit: Int, site: EditSite, loaded: LoadedModel
  ) -> Request {
    var request = Request(tokens: tokens)
    request.question = question
    request.interventions = edit.map { [$0.intervention] } ?? []
    request.actsInPassesOnly = true
    request.maxTokens = limit
    request.sampling = Sampling()
    request.sampling.temperature = 0
    request.endTokens = site.format.endTokens(for: loaded)
    if site.format == .chat { request.stops = loaded.chatFormat.stops }
    return request
  }

  /// The whole of an answer, without spaces around it, and the edit that fired.
  package static func read(_ events: GenerationStream) async throws -> (text: String, edit: FiredEdit?) {
    let answer = try await collect(events)
    return (answer.text, answer.completion.edit)
  }

  package static func collect(_ events: GenerationStream) async throws -> (text: String, completion: Completion) {
    var text = ""
    for try await event in events {
      switch event {
      case .text(let piece): text += piece
      case .token: break
      case .finished(let completion):
        if completion.reason == .cancelled { throw CancellationError() }
        return (text.trimmingCharacters(in: .whitespacesAndNewlines), completion)
      }
    }
    throw CancellationError()
  }

  /// Answers to several requests, in their order.
  package static func read(_ requests: [Request], engine: Engine) async throws -> [(
    text: String, completion: Completion
  )] {
    let streams = try engine.generate(requests)
    var answers: [(text: String, completion: Completion)] = []
    for stream in streams { answers.append(try await collect(stream)) }
    return answers
  }
}
