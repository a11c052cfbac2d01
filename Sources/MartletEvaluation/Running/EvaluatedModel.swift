import MartletEngine
import MartletModels
import MartletTokenizers

/// A model under evaluation: what scores continuations with it and what writes answers.
public struct EvaluatedModel: Sendable {
  /// The name in tables and files.
  public let name: String
  /// What tells the model, its adapters and its weight format from others: a run is resumed with the same one alone.
  public let fingerprint: String
  /// The format of its conversations; nil where rows are put as plain text.
  public let chat: ChatFormat?
  /// What scores continuations.
  public let scorer: any ContinuationScorer
  /// What writes answers.
  public let generator: any TextGenerator

  /// A model by its parts.
  public init(
    name: String, fingerprint: String, chat: ChatFormat? = nil, scorer: any ContinuationScorer,
    generator: any TextGenerator
  ) {
    self.name = name
    self.fingerprint = fingerprint
    self.chat = chat
    self.scorer = scorer
    self.generator = generator
  }

  /// A model in this process.
  ///
  /// - Parameters:
  ///   - loaded: the model with its tokenizer.
  ///   - name: the name in tables and files.
  ///   - chat: the format of conversations; nil puts rows as plain text.
  ///   - interventions: what acts on answers and scores, such as edits.
  ///   - calculates: whether a `Calculator` writes the values of expressions such as `<<48/2=` in answers.
  ///   - tellingApart: whatever else makes its answers others than those of the same weights, such as a file of edits.
  public init(
    _ loaded: LoadedModel, name: String, chat: ChatFormat? = nil, interventions: (any InterventionSource)? = nil,
    calculates: Bool = false, tellingApart: String? = nil
  ) {
    var scoring = ModelScorer.Options()
    scoring.interventions = interventions
    var engine = Engine.Options()
    engine.interventions = interventions
    self.init(
      name: name,
      fingerprint: ([loaded.model.description.fingerprint]
        + [tellingApart, calculates ? "calculator" : nil].compactMap(\.self)).joined(separator: "+"),
      chat: chat, scorer: ModelScorer(loaded, options: scoring),
      generator: EngineGenerator(Engine(loaded, options: engine), calculates: calculates))
  }

  /// A model at an endpoint.
  ///
  /// - Parameters:
  ///   - endpoint: what is asked.
  ///   - chat: the format in which the prompts of choices are written; answers are asked for as messages, which the endpoint writes in
  ///     its own.
  ///   - tokenizer: that of the model; without it only tasks run whose answers are generated.
  public init(_ endpoint: CompletionsEndpoint, chat: ChatFormat? = nil, tokenizer: (any Tokenizer)? = nil) {
    self.init(
      name: endpoint.model, fingerprint: "\(endpoint.model) at \(endpoint.address)", chat: chat,
      scorer: EndpointScorer(endpoint, tokenizer: tokenizer), generator: EndpointGenerator(endpoint))
  }
}
