import MartletEngine
import MartletModels
import MartletTokenizers

/// A request to /v1/completions.
struct CompletionRequest {
  var settings: AnswerSettings
  /// Token ids of each prompt, and its text for `echo`.
  var prompts: [(tokens: [Int], text: String)]
  var echoes: Bool
  var logProbabilities: Int?

  static let mostPrompts = 64

  init(_ object: JSONObject, defaults: Sampling, mostChoices: Int, loaded: LoadedModel) throws {
    let fields = FieldReader(object)
    _ = try fields.string("model")
    settings = try AnswerSettings(
      fields, defaults: defaults, mostChoices: mostChoices,
      vocabularySize: loaded.model.description.vocabularySize, leastTokens: 0)
    guard let prompt = fields.value("prompt") else {
      throw APIError.invalid("`prompt` is missing", parameter: "prompt")
    }
    prompts = try TextInput.read(prompt, field: "prompt", loaded: loaded)
    guard prompts.count <= Self.mostPrompts else {
      throw APIError.invalid(
        "`prompt` has \(prompts.count) entries; at most \(Self.mostPrompts) are taken", parameter: "prompt")
    }
    guard prompts.count * settings.choices <= Self.mostPrompts else {
      throw APIError.invalid(
        "\(prompts.count) prompts with `n` = \(settings.choices) are more than \(Self.mostPrompts) answers",
        parameter: "n")
    }
    if fields.has("suffix"), try fields.string("suffix") != "" {
      throw APIError(
        status: .notImplemented, type: "not_supported_error",
        message: "`suffix` is not supported; leave it out", parameter: "suffix")
    }
    if let best = try fields.integer("best_of", in: 1...mostChoices), best != settings.choices {
      throw APIError(
        status: .notImplemented, type: "not_supported_error",
        message: "`best_of` other than `n` is not supported; leave it out", parameter: "best_of")
    }
    echoes = try fields.bool("echo") ?? false
    logProbabilities = try fields.integer("logprobs", in: 0...20)
  }
}
