import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEvaluation
import MartletModels
import MartletTokenizers

/// The models that are evaluated, here or at an endpoint.
struct EvaluatedModelOptions: ParsableArguments {
  @Argument(
    help: "Paths or names of models, each with +ADAPTER and +EDITS.sqlite if wanted; `box` is the built-in model.")
  var models: [String] = []
  @OptionGroup var loading: LoadingOptions
  @Option(help: "File with edits of the model that it answers with (default: none).") var edits: String?
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Option(help: "OpenAI-compatible endpoint instead of a local model, e.g. http://127.0.0.1:8080/v1.")
  var endpoint: String?
  @Flag(help: CalculatorHelp.help) var calculator = false
  @Option(help: "Name of the environment variable that holds the endpoint's API key (default: OPENAI_API_KEY).")
  var keyVariable: String?
  @Option(help: "Maximum number of simultaneous requests to the endpoint (default: 8).") var parallel: Int?
  @Option(help: "Another name under which the endpoint may say that a model answers; may be repeated.")
  var acceptModel: [String] = []

  func validate() throws {
    if let parallel, !(1...256).contains(parallel) { throw ValidationError("--parallel must be from 1 to 256") }
    if let twice = models.first(where: { name in models.count { $0 == name } > 1 }) {
      throw ValidationError("\(twice) is given twice")
    }
    if models.count > 1 {
      for (name, isGiven) in [("--adapter", !loading.adapters.isEmpty), ("--edits", edits != nil)] where isGiven {
        throw ValidationError("\(name) does not tell for which model it is; write MODEL+FILE instead")
      }
    }
    guard endpoint != nil else {
      if parallel != nil { throw ValidationError("--parallel needs --endpoint") }
      if keyVariable != nil { throw ValidationError("--key-variable needs --endpoint") }
      if !acceptModel.isEmpty { throw ValidationError("--accept-model needs --endpoint") }
      return
    }
    if let name = loading.optionOfLocalModels
      ?? (edits != nil ? "--edits" : calculator ? "--calculator" : loading.threads != nil ? "--threads" : nil)
    {
      throw ValidationError("\(name) needs a local model; at an endpoint it is the server's choice")
    }
  }

  /// Not a part of `validate()`, which is asked before an option that does not exist is told.
  func requireModel() throws {
    if models.isEmpty, endpoint == nil { throw ValidationError("no model was given; give a path or a name") }
  }

  /// The models, loaded.
  /// - Parameter chat: whether rows are put as conversations.
  func load(chat: Bool) async throws -> [EvaluatedModel] {
    guard let endpoint else {
      var loaded: [EvaluatedModel] = []
      for model in models { loaded.append(try await load(model, chat: chat)) }
      return loaded
    }
    let tokenizer = try loading.tokenizer.map(TokenizerLoading.open)
    if chat, chatFormat == nil, tokenizer != nil {
      throw ValidationError(
        "--chat-template at an endpoint needs --chat-format, by which prompts of choices are written")
    }
    let key = ProcessInfo.processInfo.environment[keyVariable ?? "OPENAI_API_KEY"]
    return try (models.isEmpty ? ["default"] : models).map { model in
      EvaluatedModel(
        try CompletionsEndpoint(
          endpoint, model: model, key: key, parallel: parallel ?? 8,
          // Where no name is asked for, any is right.
          acceptedModels: models.isEmpty ? nil : acceptModel),
        chat: chat ? ChatFormat(chatFormat ?? .chatML) : nil, tokenizer: tokenizer)
    }
  }

  private func load(_ argument: String, chat: Bool) async throws -> EvaluatedModel {
    var loading = loading, edits = edits
    var model = argument
    var adapters: [String] = []
    // The part behind a plus sign counts only where nothing has the whole as its name.
    while (try? ModelLibrary().resolve(model)) == nil, let plus = model.lastIndex(of: "+") {
      let part = String(model[model.index(after: plus)...])
      model = String(model[..<plus])
      if !part.hasSuffix(".sqlite") {
        adapters.insert(part, at: 0)
      } else if let edits {
        throw ValidationError("\(argument): a model has one file of edits, not both \(part) and \(edits)")
      } else {
        edits = part
      }
    }
    loading.adapters = adapters + loading.adapters
    let loaded = try loading.load(model, chatFormat: chatFormat, warns: chat)
    var live: LiveEdits?, editsDigest: String?
    if let edits {
      let opened = LiveEdits(path: edits, loaded: loaded)
      guard opened.isPresent else { throw EditError("\(edits): this file of edits does not exist") }
      try await opened.open()
      live = opened
      // The same file may hold other edits later.
      var digest = SHA256()
      for edit in try await opened.store()?.records(status: .live) ?? [] {
        digest.update(
          Array("\(edit.id ?? 0) \(edit.created.timeIntervalSince1970) \(edit.prompt)\n\(edit.answer)\n".utf8))
      }
      editsDigest = digest.finalize()
    }
    // Whatever changes answers, but for the weights, which have a fingerprint of their own.
    let differences = [
      chat ? "conversations as \(loaded.chatFormat.name)" : nil,
      loading.tokenizer.map { "tokenizer \($0)" },
      editsDigest.map { "edits \($0)" },
    ].compactMap(\.self)
    return EvaluatedModel(
      loaded, name: argument, chat: chat ? loaded.chatFormat : nil, interventions: live,
      calculates: calculator,
      tellingApart: differences.isEmpty ? nil : differences.joined(separator: ", "))
  }
}
