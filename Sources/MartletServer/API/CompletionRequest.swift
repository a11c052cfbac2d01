import MartletData
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
  /// What the text begins from.
  var start: StartState?

  static let mostPrompts = 64

  init(
    _ object: JSONObject, defaults: Sampling, mostChoices: Int, loaded: LoadedModel, starts: StartStates = StartStates()
  ) throws {
    let fields = FieldReader(object)
    try RequestFields.completion.check(fields)
    settings = try AnswerSettings(
      fields, defaults: defaults, mostChoices: mostChoices, vocabularySize: loaded.model.description.vocabularySize)
    guard let prompt = fields.value("prompt") else { throw fields.refuse("prompt", "is missing") }
    prompts = try TextInput.read(prompt, field: "prompt", loaded: loaded)
    guard prompts.count <= Self.mostPrompts else {
      throw fields.refuse("prompt", "has \(prompts.count) entries; at most \(Self.mostPrompts) are taken")
    }
    guard prompts.count * settings.choices <= Self.mostPrompts else {
      throw APIError.invalid(
        "\(prompts.count) prompts with `n` = \(settings.choices) are more than \(Self.mostPrompts) answers",
        parameter: "n")
    }
    if let suffix = try fields.string("suffix"), !suffix.isEmpty {
      throw APIError.notSupported("`suffix` is not supported here; leave it out", parameter: "suffix")
    }
    if let best = try fields.integer("best_of", in: 1...mostChoices), best != settings.choices {
      throw APIError.notSupported(
        "`best_of` other than `n` is not supported here; leave it out", parameter: "best_of")
    }
    let martlet = try fields.object("martlet")
    if let martlet { try RequestFields.martletCompletion.check(martlet) }
    start = try starts.start(martlet)
    echoes = try fields.bool("echo") ?? false
    // The chat API says with a boolean whether, and this one with a number how many.
    logProbabilities = fields.value("logprobs") == false ? nil : try fields.integer("logprobs", in: 0...20)
  }
}
