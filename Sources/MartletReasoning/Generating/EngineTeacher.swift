import MartletEngine
import MartletEvaluation
import MartletModels

/// A teacher in this process. Requests are answered in one batch that is refilled as answers end.
public struct EngineTeacher: Teacher {
  public let name: String
  public let identity: String
  private let engine: Engine
  private let isChat: Bool

  /// - Parameters:
  ///   - engine: runs the model.
  ///   - name: the model's name, for rows.
  ///   - isChat: whether questions are put as messages of the model's chat template.
  public init(_ engine: Engine, name: String, isChat: Bool = true) {
    self.engine = engine
    self.name = name
    self.isChat = isChat
    identity = "\(engine.loaded.model.description.fingerprint) \(isChat ? "chat" : "plain")"
  }

  public func answer(
    _ requests: [TeacherRequest], finished: (_ request: Int, _ answer: TeacherAnswer) throws -> Void
  ) async throws {
    var places: [Int] = [], asked: [GenerationRequest] = []
    for (place, request) in requests.enumerated() {
      do {
        asked.append(try generation(request))
        places.append(place)
      } catch let error as TeachingError {
        var answer = TeacherAnswer("")
        answer.refusal = error.message
        try finished(place, answer)
      }
    }
    try await EngineGenerator(engine).generate(asked) { request, text in
      var answer = TeacherAnswer(text.text)
      answer.promptTokens = text.promptTokens
      answer.completionTokens = text.answerTokens
      answer.isCutOff = text.isCutOff
      try finished(places[request], answer)
    }
  }

  /// The request as tokens. The chat format tells its own control tokens from texts that spell them, so a text of a stranger stays text.
  private func generation(_ request: TeacherRequest) throws -> GenerationRequest {
    let loaded = engine.loaded
    var generation = GenerationRequest(
      context: "", messages: isChat ? request.messages : nil, stops: request.stops + (isChat ? [] : ["\nQ:"]),
      maxTokens: request.maxTokens)
    let tokens =
      isChat
      ? try loaded.chatFormat.encode(request.messages, tokenizer: loaded.tokenizer)
      : PromptFormat.raw(request.plainText, for: loaded)
    if let limit = loaded.model.description.contextLength, tokens.count + request.maxTokens > limit {
      throw TeachingError(
        "the prompt of \(tokens.count) tokens and an answer of \(request.maxTokens) do not fit into the teacher's context of \(limit)"
      )
    }
    generation.tokens = tokens
    generation.sampling = request.sampling
    return generation
  }
}
