import ArgumentParser
import Foundation
import MartletEngine
import MartletModels
import MartletSkeleton

/// Where a skeleton's answers are written.
struct BackendOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Path or name of a local model, or the name of the model at the endpoint.")
  var model: String?
  @Option(help: "OpenAI-compatible endpoint instead of a local model, e.g. http://127.0.0.1:8080/v1.")
  var endpoint: String?
  @Option(help: "Name of the environment variable that holds the endpoint's API key.")
  var keyVariable = "OPENAI_API_KEY"
  @Option(help: "Maximum number of simultaneous requests to the endpoint.") var parallel = 8
  @OptionGroup var loading: LoadingOptions

  var isGiven: Bool { model != nil || endpoint != nil }

  func validate() throws {
    if !(1...256).contains(parallel) { throw ValidationError("--parallel must be from 1 to 256") }
    if endpoint != nil || model == nil,
      let name = loading.optionOfLocalModels ?? (loading.tokenizer == nil ? nil : "--tokenizer")
    {
      throw ValidationError("\(name) needs a local model; give its path with --model, without --endpoint")
    }
  }

  /// - Parameters:
  ///   - prompts: whose beginnings are read once, for local models.
  ///   - edits: that a local model answers with; nil answers without.
  func backend(
    sampling: Sampling, prompts: PromptSet?, edits: AppliedEdits? = nil
  ) async throws -> (any SkeletonBackend, Engine?) {
    if let endpoint {
      guard edits?.edits == nil else {
        throw SkeletonError("--edits needs a local model; an endpoint applies its own edits")
      }
      var options = RemoteBackend.Options(
        endpoint: endpoint, model: model ?? "default", key: ProcessInfo.processInfo.environment[keyVariable])
      options.sampling = sampling
      options.mostTogether = parallel
      return (try RemoteBackend(options), nil)
    }
    guard let model else {
      throw SkeletonError("no model was given; give --model PATH or --endpoint ADDRESS")
    }
    let loaded = try loading.load(model)
    let engine = try await edits?.engine(loaded, model: model) ?? Engine(loaded)
    let templates =
      if let prompts {
        try await TemplateStates(engine, prompts: prompts, folder: TemplateStates.defaultFolder)
      } else {
        TemplateStates?.none
      }
    return (LocalBackend(engine, sampling: sampling, templates: templates), engine)
  }
}

extension Terminal {
  /// An argument, or standard input where there is none or it is `-`.
  static func text(_ argument: String?, what: String) throws -> String {
    let text = try argument.flatMap { $0 == "-" ? nil : $0.trimmed } ?? PromptInput.standardInput(what: what).trimmed
    guard !text.isEmpty else { throw ValidationError("the \(what) is empty; give some text") }
    return text
  }
}
