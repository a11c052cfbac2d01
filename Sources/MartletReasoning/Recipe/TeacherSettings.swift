/// Who answers: a model in this process, or one behind an OpenAI-compatible endpoint.
public struct TeacherSettings: Sendable, Equatable {
  /// The model's path or name here, or its name at the endpoint.
  public var model: String
  /// The address of the endpoint in front of `/chat/completions`; nil for a model in this process.
  public var endpoint: String?
  /// Whether questions are put as messages; otherwise as plain text, which suits models that were trained on no conversations.
  public var isChat = true
  /// Further names under which the endpoint may say that the model answers.
  public var acceptedModels: [String] = []
  /// The environment variable that holds the endpoint's key.
  public var keyVariable = "OPENAI_API_KEY"
  /// The number of requests that are under way at a time.
  public var parallel = 8
  /// The largest number of requests in a minute; nil for no limit.
  public var requestsPerMinute: Int?
  /// How often a request is sent again that failed.
  public var retries = 5
  /// How long an answer may take, in seconds.
  public var timeout = 120.0
  /// The price of a million tokens that the teacher reads and that it writes, in any currency; nil where it is not known.
  public var promptPrice, completionPrice: Double?
  /// The most that may be spent, in the same currency; nil for no limit.
  public var budget: Double?

  /// A teacher in this process, or at an endpoint.
  public init(model: String, endpoint: String? = nil) {
    self.model = model
    self.endpoint = endpoint
  }
}

/// What the teacher is asked.
public struct GenerationSettings: Sendable, Equatable {
  /// The form of the request.
  public enum Prompt: String, Sendable, CaseIterable {
    /// The question alone.
    case plain
    /// Worked examples before the question (Wei et al., 2022).
    case fewShot = "few_shot"
    /// The question with the request to think step by step (Kojima et al., 2022).
    case stepByStep = "step_by_step"
    /// The system message of the strategy that was chosen for the task (Orca 2).
    case strategy
    /// A system message that asks for an explanation, drawn for each question (Orca 1).
    case explanation
  }

  /// The form of the request.
  public var prompt = Prompt.fewShot
  /// The file of worked examples, a JSON object of lists `[{"question", "target"}]` by task; nil for those of the data folder.
  public var exemplars: String?
  /// The largest number of worked examples.
  public var shots = 8
  /// Whether the right answer is told as a hint (Magister et al., 2023).
  public var givesAnswer = false
  /// The number of responses to each question.
  public var samples = 1
  /// The temperature of sampling; 0 takes the likeliest tokens.
  public var temperature = 0.0
  /// The share of the likeliest tokens among which one is drawn.
  public var topP = 1.0
  /// The largest number of tokens of a response.
  public var maxTokens = 256
  /// Texts that end a response.
  public var stops: [String] = []

  /// The defaults: one greedy response with worked examples before the question.
  public init() {}
}

/// Which responses are learnt from.
public struct SelectionSettings: Sendable, Equatable {
  /// What makes two responses to a question the same.
  public enum Duplicates: String, Sendable, CaseIterable {
    /// Nothing: all are kept.
    case kept
    /// The same text, whatever its spaces and capitals.
    case text
    /// The same calculations in the same order, or the same text where there are none (RFT; Yuan et al., 2023).
    case path
  }

  /// Whether wrong responses are left out.
  public var onlyCorrect = true
  /// What makes two responses the same.
  public var duplicates = Duplicates.path
  /// The largest number of responses to a question; nil for all.
  public var perQuestion: Int?
  /// The smallest and the largest number of characters of a response; nil for any.
  public var minimumLength, maximumLength: Int?
  /// Other data that are mixed in.
  public var mixture: [Mixture] = []

  /// Data of another kind, such as conversations, among the examples.
  public struct Mixture: Sendable, Equatable {
    /// A file of questions with responses.
    public var source: QuestionSource
    /// The share of all examples that it makes up, above 0 and below 1.
    public var share: Double

    /// A file and its share.
    public init(source: QuestionSource, share: Double) {
      self.source = source
      self.share = share
    }
  }

  /// The defaults: right responses, each path once.
  public init() {}
}

/// The ways of answering among which one is chosen for each cluster of tasks.
public struct StrategySettings: Sendable, Equatable {
  /// A file of strategies and clusters; nil for those that are part of the package.
  public var file: String?
  /// The identifiers of the strategies that are tried; empty for all.
  public var tried: [String] = []
  /// The split on which they are measured.
  public var split = "validation"
  /// The largest number of questions of a cluster that each strategy is measured on.
  public var limit = 50
  /// Whose accuracy decides.
  public var judge = Judge.student
  /// Strategies that are set and not measured, by cluster.
  public var fixed: [String: String] = [:]

  /// Whose accuracy decides.
  public enum Judge: String, Sendable, CaseIterable {
    /// The model that is taught.
    case student
    /// The model that answers.
    case teacher
  }

  /// The defaults: all strategies of the package, measured on the validation split.
  public init() {}
}
