import Foundation
import Hummingbird
import MartletEngine
import MartletModels

/// POST /v1/completions
struct CompletionRoute: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel

  /// OpenAI's default, kept because clients count on it.
  static let defaultMaxTokens = 16

  func add(to routes: inout RouteTable) {
    routes.add(.post, "/v1/completions", "/completions") { try await answer($0, $1) }
  }

  private func answer(_ request: Request, _ context: ServerContext) async throws -> Response {
    let ready = try model.get()
    let object = try await request.jsonObject(configuration, context)
    var completion = try CompletionRequest(
      object, defaults: configuration.sampling(for: ready.loaded), mostChoices: configuration.mostChoices,
      loaded: ready.loaded, starts: ready.starts)
    completion.settings.maxTokens = completion.settings.maxTokens ?? Self.defaultMaxTokens
    if configuration.logsText { context.record.note(prompt: completion.prompts.map(\.text).joined(separator: "\n")) }
    let watch = try await context.watch
    let reply = CompletionReply(completion, model: configuration.modelName)
    let record = context.record, logsText = configuration.logsText
    let asked = completion
    guard completion.settings.streams else {
      let (choices, usage, edits) = try await watch.cancelling { [self] in
        var choices = try await reply.begin(ready.engine)
        var usage = Usage()
        var edits = EditNews()
        for try await event in try await start(asked, ready) {
          if case .finished(let counted) = event { usage = counted }
          record.note(event, keepsText: logsText)
          edits.take(event)
          reply.take(event, into: &choices)
        }
        return (choices, usage, edits)
      }
      record.note(usage: usage)
      return Response(json: reply.json(choices, usage: usage, edits: edits))
    }
    let (begun, events) = try await watch.cancelling { [self] in
      (try await reply.begin(ready.engine), try await start(asked, ready))
    }
    let position = CompletionReply.StreamPosition(begun)
    return EventStream.response(
      events, watch: watch, pingInterval: configuration.pingInterval, first: reply.echoes(begun)
    ) { event in
      record.note(event, keepsText: logsText)
      return reply.chunks(event, position)
    }
  }

  private func start(_ completion: CompletionRequest, _ ready: ServedModel.Ready) async throws -> AnswerEvents {
    var requests: [MartletEngine.Request] = []
    let grammar = try await completion.settings.format?.compiledGrammar()
    for prompt in completion.prompts {
      var request = MartletEngine.Request(tokens: prompt.tokens)
      request.start = completion.start
      request.apply(completion.settings, configuration, loaded: ready.loaded)
      request.grammar = grammar
      request.question = Question(prompt.text, format: .raw)
      request.grammarSaying = completion.settings.format.map { format in
        { @Sendable (text: String) in try format.grammar(saying: text) }
      }
      request.stops = completion.settings.stops
      request.logProbabilities = completion.logProbabilities
      requests += request.choices(completion.settings.choices)
    }
    var writing = AnswerWriting()
    writing.choicesPerPrompt = completion.settings.choices
    return writing.run(try ready.engine.generate(requests))
  }
}
