import Foundation
import MartletData
import MartletEvaluation
import Synchronization

/// A teacher behind an OpenAI-compatible endpoint. Requests are sent again while the endpoint is busy, answers with half a JSON, with
/// nothing, or too late; an answer of another model ends the run.
public struct EndpointTeacher: Teacher {
  public let name: String
  public let identity: String
  private let settings: TeacherSettings
  private let endpoint: CompletionsEndpoint
  private let cost: TeacherCost

  /// - Parameters:
  ///   - settings: the address, the model, and how patient and how thrifty to be.
  ///   - key: the endpoint's key; nil sends none.
  /// - Throws: `EvaluationError` if the address is none; ``TeachingError`` if there is none.
  public init(_ settings: TeacherSettings, key: String?) throws {
    guard let address = settings.endpoint else {
      throw TeachingError("the teacher has no endpoint; give its address, such as http://127.0.0.1:8080/v1")
    }
    self.settings = settings
    name = settings.model
    identity = "\(address) \(settings.model) \(settings.isChat ? "chat" : "plain")"
    cost = TeacherCost(settings)
    endpoint = try CompletionsEndpoint(
      address, model: settings.model, key: key, parallel: settings.parallel, retries: settings.retries,
      timeout: settings.timeout, requestsPerMinute: settings.requestsPerMinute, acceptedModels: settings.acceptedModels)
  }

  public func answer(
    _ requests: [TeacherRequest], finished: (_ request: Int, _ answer: TeacherAnswer) throws -> Void
  ) async throws {
    let generator = EndpointGenerator(endpoint)
    try await endpoint.forEach(requests.count) { place in
      try cost.check()
      do {
        return try await answer(requests[place], generator)
      } catch let error as EvaluationError where [400, 413, 422].contains(error.status) {
        // This request is refused and others may not be: too long for the model, or against its rules.
        var answer = TeacherAnswer("")
        answer.refusal = error.message
        return answer
      }
    } finished: { place, answer in
      try finished(place, answer)
    }
  }

  private func answer(_ request: TeacherRequest, _ generator: EndpointGenerator) async throws -> TeacherAnswer {
    var generation = GenerationRequest(
      context: settings.isChat ? "" : request.plainText, messages: settings.isChat ? request.messages : nil,
      stops: request.stops + (settings.isChat ? [] : ["\nQ:"]), maxTokens: request.maxTokens)
    generation.sampling = request.sampling
    let text = try await generator.answer(generation) { reply in
      let choice = reply["choices"]?.array?.first
      return choice?["message"] == nil && choice?["text"] == nil ? "without a text" : nil
    }
    var answer = TeacherAnswer(text.text)
    answer.promptTokens = text.promptTokens
    answer.completionTokens = text.answerTokens
    answer.isCutOff = text.isCutOff
    cost.add(answer)
    return answer
  }
}

/// What a teacher has cost so far, by the numbers of tokens that it tells.
final class TeacherCost: Sendable {
  private let settings: TeacherSettings
  private let tokens = Mutex((prompt: 0, completion: 0))

  init(_ settings: TeacherSettings) { self.settings = settings }

  func add(_ answer: TeacherAnswer) {
    tokens.withLock {
      $0.prompt += answer.promptTokens ?? 0
      $0.completion += answer.completionTokens ?? 0
    }
  }

  /// - Throws: ``TeachingError`` where the budget is used up.
  func check() throws {
    guard let budget = settings.budget else { return }
    let (prompt, completion) = tokens.withLock { $0 }
    let spent = settings.price(prompt: prompt, completion: completion) ?? 0
    guard spent < budget else {
      throw TeachingError(
        "the teacher's budget of \(budget.formatted()) is used up; raise it to go on, what was answered is kept")
    }
  }
}

extension TeacherSettings {
  /// The price of tokens; nil where it is not known.
  public func price(prompt: Int, completion: Int) -> Double? {
    guard let promptPrice, let completionPrice else { return nil }
    return (Double(prompt) * promptPrice + Double(completion) * completionPrice) / 1e6
  }
}
