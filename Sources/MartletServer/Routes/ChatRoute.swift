import Foundation
import Hummingbird
import MartletEngine
import MartletModels
import MartletSkeleton

/// POST /v1/chat/completions
struct ChatRoute: Sendable {
  let configuration: ServerConfiguration
  let model: ServedModel

  func callAsFunction(_ request: Request, _ context: ServerContext) async throws -> Response {
    let ready = try model.get()
    let object = try await request.jsonObject(configuration, context)
    let chat = try ChatRequest(
      object, defaults: configuration.sampling(for: ready.loaded), mostChoices: configuration.mostChoices,
      vocabularySize: ready.loaded.model.description.vocabularySize, starts: ready.starts)
    if configuration.logsText { context.record.note(prompt: chat.messages.last?.content ?? "") }
    let watch = try await context.watch
    let reply = ChatReply(
      model: configuration.modelName, fingerprint: ready.loaded.model.description.fingerprint,
      isLegacy: chat.tools.isLegacy)
    let mode = try skeletonMode(chat)
    let answer = chat
    guard chat.settings.streams else {
      let whole = try await watch.cancelling { [self] in
        var whole = ChatReply.Whole(choices: answer.settings.choices)
        for try await event in try await start(answer, mode, ready, context) {
          if case .text(_, let text, _) = event {
            context.record.noteText(text, keeps: configuration.logsText)
          }
          whole.take(event)
        }
        return whole
      }
      context.record.note(usage: whole.usage)
      return Response(json: reply.json(whole, withLogProbabilities: chat.logProbabilities != nil))
    }
    // What several choices share is read before their stream begins.
    let events = try await watch.cancelling { [self] in try await start(answer, mode, ready, context) }
    let record = context.record
    let logsText = configuration.logsText
    return EventStream.response(
      events, watch: watch, pingInterval: configuration.pingInterval,
      first: (0..<chat.settings.choices).map { reply.begin($0) }
    ) { event in
      switch event {
      case .text(_, let text, _): record.noteText(text, keeps: logsText)
      case .finished(let usage): record.note(usage: usage)
      default: break
      }
      return reply.chunks(
        event, includesUsage: answer.settings.includesUsage, withLogProbabilities: answer.logProbabilities != nil,
        showsSkeleton: answer.showsSkeleton)
    }
  }

  /// Whether an answer may go by way of a skeleton.
  private func skeletonMode(_ chat: ChatRequest) throws -> SkeletonMode {
    let mode = chat.skeleton ?? configuration.skeletonMode
    if mode == .off { return .off }
    var obstacle: String?
    if chat.settings.choices > 1 { obstacle = "`n` above 1" }
    if chat.tools.choice != .never { obstacle = "`tools`" }
    if let format = chat.settings.format { obstacle = "`\(format.field)`" }
    if chat.settings.maxTokens == 0 { obstacle = "`max_tokens` 0" }
    if chat.settings.minTokens > 0 { obstacle = "`min_tokens`" }
    if !chat.settings.stopTokens.isEmpty { obstacle = "`stop_token_ids`" }
    if chat.logProbabilities != nil { obstacle = "`logprobs`" }
    if !chat.begun.isEmpty { obstacle = "a begun answer" }
    if chat.messages.last?.role != .user { obstacle = "a last message that is not the user's" }
    if chat.start != nil { obstacle = "a start state" }
    guard let obstacle else { return mode }
    if chat.skeleton == .on {
      throw APIError.invalid("`martlet.skeleton` cannot be `on` together with \(obstacle)", parameter: "martlet")
    }
    return .off
  }

  private func start(
    _ chat: ChatRequest, _ mode: SkeletonMode, _ ready: ServedModel.Ready, _ context: ServerContext
  ) async throws -> AnswerEvents {
    if mode != .off { return try skeletonEvents(chat, mode, ready, context.record) }
    let loaded = ready.loaded, engine = ready.engine
    let (grammar, loosened) = try await chat.tools.compiledGrammar(format: chat.settings.format)
    if !loosened.isEmpty {
      context.logger.warning(
        "a tool's schema is kept to only in part; `strict` refuses it instead",
        metadata: ["parts": "\(loosened.prefix(8).joined(separator: "; "))"])
    }
    let begun = chat.begun + chat.tools.begun
    let tokens = try loaded.chatFormat.encode(chat.messages, begun: begun, tokenizer: loaded.tokenizer)
    var request = MartletEngine.Request(tokens: tokens)
    request.start = chat.start
    request.apply(chat.settings, loaded: loaded)
    request.grammar = grammar
    // A grammar ends the answer itself, unless it lets any text through.
    let isFree = grammar == nil || (chat.tools.choice == .auto && chat.settings.format == nil)
    request.stops = chat.settings.stops + (isFree ? loaded.chatFormat.stops : [])
    request.logProbabilities = chat.logProbabilities
    if begun.isEmpty, let last = chat.messages.last, last.role == .user {
      request.question = Question(last.content, format: .chat)
    }
    request.landmarks = landmarks(chat.messages, tokens, loaded)
    let (streams, shared) = try await engine.choices(of: request, count: chat.settings.choices)
    var writing = AnswerWriting(
      skipsSpace: loaded.chatFormat.answersBeginWithSpace && begun.isEmpty,
      readsTools: chat.tools.choice != .never, toolsBegun: chat.tools.begun,
      reasonOfCalls: chat.tools.isLegacy ? "function_call" : "tool_calls")
    writing.choicesPerPrompt = chat.settings.choices
    return writing.run(streams, shared: shared)
  }

  /// Where prompts with the same system message part. A recurrent state can be used again only where it was kept.
  private func landmarks(_ messages: [ChatMessage], _ tokens: [Int], _ loaded: LoadedModel) -> [Int] {
    guard !loaded.model.makeState().canBeCut, messages.count > 1, messages[0].role == .system,
      let other = try? loaded.chatFormat.encode(
        [messages[0], ChatMessage(.user, "\u{1}")], tokenizer: loaded.tokenizer)
    else { return [] }
    let common = zip(tokens, other).prefix { $0 == $1 }.count
    return common >= 32 ? [common] : []
  }

  private func skeletonEvents(
    _ chat: ChatRequest, _ mode: SkeletonMode, _ ready: ServedModel.Ready, _ record: RequestRecord
  ) throws -> AnswerEvents {
    let loaded = ready.loaded
    // What would be refused is refused before anything is sent.
    var trial = MartletEngine.Request(
      tokens: try loaded.chatFormat.encode(chat.messages, tokenizer: loaded.tokenizer))
    trial.sampling = chat.settings.sampling
    try ready.engine.check(trial)
    try ready.engine.checkRoom()
    var options = configuration.skeleton
    options.mode = mode
    if let limit = chat.settings.maxTokens, limit < .max { options.maxTokens = limit }
    let backend = LocalBackend(
      ready.engine, sampling: chat.settings.sampling, templates: ready.templates, stops: chat.settings.stops)
    let run = SkeletonRun(backend, options: options).answer(chat.messages)
    return AnswerEvents { continuation in
      let task = Task {
        do {
          for try await event in run {
            for event in SkeletonNews.events(event) { continuation.yield(event) }
            if case .finished(let report) = event {
              record.note(skeleton: report.usedSkeleton ? "skeleton" : report.reason?.label ?? "normal")
              continuation.yield(
                .ended(
                  choice: 0, reason: report.usedSkeleton || report.endedByItself ? "stop" : "length", endToken: nil))
              continuation.yield(
                .finished(
                  Usage(
                    promptTokens: report.promptTokens, completionTokens: report.tokens,
                    cachedTokens: max(
                      0, report.promptTokens - report.skeletonReadTokens - report.pointReadTokens))))
            }
          }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
