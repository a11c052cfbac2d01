import Foundation
import Hummingbird
import Logging
import MartletEditing
import MartletEngine
import MartletModels
import MartletSkeleton

/// POST /v1/chat/completions
struct ChatRoute: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel

  func add(to routes: inout RouteTable) {
    routes.add(.post, "/v1/chat/completions", "/chat/completions") { try await answer($0, $1) }
  }

  private func answer(_ request: Request, _ context: ServerContext) async throws -> Response {
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
          context.record.note(event, keepsText: configuration.logsText)
          whole.take(event)
        }
        return whole
      }
      context.record.note(usage: whole.usage)
      return Response(json: reply.json(whole, withLogProbabilities: chat.logProbabilities != nil))
    }
    let events = try await watch.cancelling { [self] in try await start(answer, mode, ready, context) }
    let record = context.record
    let logsText = configuration.logsText
    return EventStream.response(
      events, watch: watch, pingInterval: configuration.pingInterval,
      first: (0..<chat.settings.choices).map { reply.begin($0) }
    ) { event in
      record.note(event, keepsText: logsText)
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
    if chat.settings.ignoresEnd { obstacle = "`ignore_eos`" }
    if chat.settings.calculates ?? configuration.calculates { obstacle = "`calculator`" }
    if chat.logProbabilities != nil { obstacle = "`logprobs`" }
    if !chat.begun.isEmpty { obstacle = "a partial answer to continue" }
    if chat.messages.last?.role != .user { obstacle = "a last message whose role is not user" }
    if chat.start != nil { obstacle = "an initial state" }
    guard let obstacle else { return mode }
    if chat.skeleton == .on {
      throw APIError.invalid("`martlet.skeleton` cannot be `on` together with \(obstacle)", parameter: "martlet")
    }
    return .off
  }

  private func start(
    _ chat: ChatRequest, _ mode: SkeletonMode, _ ready: ServedModel.Ready, _ context: ServerContext
  ) async throws -> AnswerEvents {
    let request = try await engineRequest(chat, ready, context)
    if mode != .off { return try skeletonEvents(chat, request, mode, ready, context.record) }
    let streams = try ready.engine.generate(request.choices(chat.settings.choices))
    var writing = AnswerWriting(
      skipsSpace: ready.loaded.chatFormat.answersBeginWithSpace && chat.begun.isEmpty && chat.tools.begun.isEmpty,
      readsTools: chat.tools.choice != .never, toolsBegun: chat.tools.begun,
      reasonOfCalls: chat.tools.isLegacy ? "function_call" : "tool_calls")
    writing.choicesPerPrompt = chat.settings.choices
    return writing.run(streams)
  }

  /// The question as the engine is asked it; every way of answering begins from this.
  private func engineRequest(
    _ chat: ChatRequest, _ ready: ServedModel.Ready, _ context: ServerContext
  ) async throws -> MartletEngine.Request {
    let loaded = ready.loaded
    let (grammar, loosened) = try await chat.tools.compiledGrammar(format: chat.settings.format)
    if !loosened.isEmpty {
      context.logger.warning(
        "the schema of a tool is enforced only in part; `strict` refuses such schemas",
        metadata: ["parts": "\(loosened.prefix(8).joined(separator: "; "))"])
    }
    let begun = chat.begun + chat.tools.begun
    let tokens = try loaded.chatFormat.encode(chat.messages, begun: begun, tokenizer: loaded.tokenizer)
    var request = MartletEngine.Request(tokens: tokens)
    request.start = chat.start
    request.apply(chat.settings, configuration, loaded: loaded)
    request.grammar = grammar
    // A grammar ends the answer itself, unless it lets any text through.
    let isFree = grammar == nil || (chat.tools.choice == .auto && chat.settings.format == nil)
    request.stops = chat.settings.stops + (isFree ? loaded.chatFormat.stops : [])
    request.logProbabilities = chat.logProbabilities
    request.question = Question(chat.messages, begun: begun)
    request.grammarSaying = chat.tools.grammarSaying(format: chat.settings.format)
    request.landmarks = landmarks(chat.messages, tokens, loaded)
    return request
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
    _ chat: ChatRequest, _ request: MartletEngine.Request, _ mode: SkeletonMode, _ ready: ServedModel.Ready,
    _ record: RequestRecord
  ) throws -> AnswerEvents {
    // What would be refused is refused before anything is sent.
    try ready.engine.check(request)
    try ready.engine.checkRoom()
    var options = configuration.skeleton
    options.mode = mode
    options.maxTokens = request.maxTokens
    options.answerLimit = chat.settings.maxTokens.flatMap { $0 < .max ? $0 : nil }
    options.stops = chat.settings.stops
    let backend = LocalBackend(
      ready.engine, sampling: chat.settings.sampling, templates: ready.templates, question: request)
    let run = SkeletonRun(backend, options: options).answer(chat.messages)
    return AnswerEvents { continuation in
      let task = Task {
        do {
          for try await event in run {
            for event in SkeletonNews.events(event) { continuation.yield(event) }
            if case .finished(let report) = event {
              record.note(skeleton: report.usedSkeleton ? "skeleton" : report.reason?.label ?? "normal")
              if let edit = FiredEdit(in: report.notes) { continuation.yield(.edited(choice: 0, edit)) }
              continuation.yield(
                .ended(choice: 0, reason: report.endedByItself ? "stop" : "length", endToken: nil))
              continuation.yield(.finished(Usage(report, promptTokens: request.tokens.count)))
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

extension Usage {
  /// What an answer took, with what was generated for another way of answering left out.
  ///
  /// - Parameter promptTokens: of the conversation; what skeletons are asked with is not the client's.
  init(_ report: SkeletonReport, promptTokens: Int) {
    let read =
      report.usedSkeleton ? report.skeletonReadTokens + report.pointReadTokens : report.normalReadTokens
    self.init(
      promptTokens: promptTokens,
      completionTokens: report.usedSkeleton ? report.skeletonTokens + report.pointTokens : report.normalTokens,
      cachedTokens: max(0, promptTokens - read))
  }
}
