import ArgumentParser
import Foundation
import MartletEngine
import MartletReasoning

/// Nobody: where every question comes with its response.
struct NoTeacher: Teacher {
  let name = "", identity = ""
  func answer(
    _ requests: [TeacherRequest], finished: (_ request: Int, _ answer: TeacherAnswer) throws -> Void
  ) async throws {}
}

/// Who answers: a model here, or one behind an endpoint.
struct TeacherOptions: ParsableArguments {
  @Option(help: "Path or name of the model that answers; with --endpoint, its name there.") var teacher: String?
  @Option(help: "OpenAI-compatible endpoint of the teacher instead of a local model, e.g. http://127.0.0.1:8080/v1.")
  var endpoint: String?
  @Option(help: "Name of the environment variable that holds the endpoint's API key (default: OPENAI_API_KEY).")
  var keyVariable: String?
  @Option(help: "Maximum number of simultaneous requests (default: 8).") var parallel: Int?
  @Option(help: "Maximum number of requests to the endpoint in a minute (default: no limit).")
  var requestsPerMinute: Int?
  @Option(help: "How often a request that failed is sent again (default: 5).") var retries: Int?
  @Option(help: "Seconds that an answer of the endpoint may take (default: 120).") var timeout: Double?
  @Option(help: "Another name under which the endpoint may say that the model answers; may be repeated.")
  var acceptModel: [String] = []
  @Option(help: "Price of a million tokens that the teacher reads.") var promptPrice: Double?
  @Option(help: "Price of a million tokens that the teacher writes.") var completionPrice: Double?
  @Option(help: "Most that may be spent on the teacher in one run, in the currency of the prices.") var budget: Double?
  @Flag(help: "Put questions to the teacher as plain text, not as messages.") var plain = false

  func validate() throws {
    for (name, value, range) in [
      ("--parallel", parallel, 1...256), ("--requests-per-minute", requestsPerMinute, 1...1_000_000),
      ("--retries", retries, 0...100),
    ] {
      if let value, !range.contains(value) {
        throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    if let timeout, !(0.1...86_400).contains(timeout) { throw ValidationError("--timeout must be from 0.1 to 86400") }
    for (name, value) in [
      ("--prompt-price", promptPrice), ("--completion-price", completionPrice), ("--budget", budget),
    ] {
      if let value, !(0...1e12).contains(value) { throw ValidationError("\(name) must be a number of at least 0") }
    }
  }

  /// The settings: those of the recipe, with what was given besides. nil where nobody is named.
  func settings(_ recipe: Recipe?) throws -> TeacherSettings? {
    var base = recipe?.teacher
    if let teacher {
      if base == nil || endpoint != nil || base?.endpoint == nil {
        base = TeacherSettings(model: teacher, endpoint: endpoint)
      }
      base?.model = teacher
    }
    guard var settings = base else {
      if endpoint != nil { throw ValidationError("--endpoint needs the model's name there; give it with --teacher") }
      return nil
    }
    settings.endpoint = endpoint ?? settings.endpoint
    settings.keyVariable = keyVariable ?? settings.keyVariable
    settings.parallel = parallel ?? settings.parallel
    settings.requestsPerMinute = requestsPerMinute ?? settings.requestsPerMinute
    settings.retries = retries ?? settings.retries
    settings.timeout = timeout ?? settings.timeout
    settings.acceptedModels += acceptModel
    settings.promptPrice = promptPrice ?? settings.promptPrice
    settings.completionPrice = completionPrice ?? settings.completionPrice
    settings.budget = budget ?? settings.budget
    if plain { settings.isChat = false }
    if settings.endpoint == nil {
      let given: [(String, Bool)] = [
        ("--key-variable", keyVariable != nil), ("--requests-per-minute", requestsPerMinute != nil),
        ("--retries", retries != nil), ("--timeout", timeout != nil), ("--accept-model", !acceptModel.isEmpty),
        ("--prompt-price", promptPrice != nil), ("--completion-price", completionPrice != nil),
        ("--budget", budget != nil),
      ]
      if let name = given.first(where: \.1)?.0 { throw ValidationError("\(name) is of endpoints; give --endpoint") }
    }
    if settings.budget != nil, settings.promptPrice == nil || settings.completionPrice == nil {
      throw ValidationError("--budget needs --prompt-price and --completion-price")
    }
    return settings
  }

  /// The teacher, loaded or reached.
  static func open(_ settings: TeacherSettings, _ loading: LoadingOptions) throws -> any Teacher {
    guard settings.endpoint == nil else {
      if let name = loading.optionOfLocalModels {
        throw ValidationError("\(name) needs a local model; at an endpoint it is the server's choice")
      }
      return try EndpointTeacher(settings, key: ProcessInfo.processInfo.environment[settings.keyVariable])
    }
    var options = Engine.Options()
    options.maxSequences = max(1, settings.parallel)
    let engine = Engine(try loading.load(settings.model), options: options)
    let name = (settings.model as NSString).lastPathComponent
    return EngineTeacher(engine, name: name, isChat: settings.isChat)
  }
}
