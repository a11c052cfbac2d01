/// One of the ways of training that a recipe compares.
public struct ArmSettings: Sendable, Equatable {
  /// What is trained.
  public enum Method: String, Sendable, CaseIterable {
    /// Nothing: the student as it is.
    case untrained
    /// The answer alone.
    case answerOnly = "answer-only"
    /// The response with the answer at its end, in one target.
    case cot
    /// Two tasks, `[label]` and `[rationale]`, with weights (distilling step-by-step; Hsieh et al., 2023).
    case twoTask = "two-task"
    /// Right responses of the student itself, in rounds (RFT; Yuan et al., 2023).
    case rft
    /// The same with the answer as a hint where it failed (STaR; Zelikman et al., 2022).
    case star
    /// Right responses preferred to wrong ones (DPO; Rafailov et al., 2023).
    case dpo
    /// Rewards within groups of responses (GRPO; Shao et al., 2024).
    case grpo
    /// A teacher's probabilities on the student's texts (GKD; Agarwal et al., 2024).
    case gkd
  }
  /// What the student is told in place of the teacher's system message.
  public enum Erasure: String, Sendable, CaseIterable {
    /// The generic message (prompt erasure; Orca 2).
    case erased
    /// What the teacher was told.
    case kept
    /// The message of another strategy.
    case wrong
    /// No system message.
    case none
  }

  /// A name for folders and tables.
  public var name: String
  /// What is trained.
  public var method: Method
  /// The system message of the examples.
  public var erasure = Erasure.erased
  /// The share of the questions that are learnt from, for curves over the size of the data.
  public var share = 1.0
  /// The seeds of the runs, one run each.
  public var seeds: [Int] = [1, 2, 3]
  /// How often the examples are read; `steps` takes precedence.
  public var epochs = 3.0
  /// The number of steps; nil for as many as `epochs` gives.
  public var steps: Int?
  /// The number of examples that a step reads, on average: short ones of one arm and long ones of another make equally many steps.
  public var batch = 8
  /// The largest number of tokens of an example.
  public var context = 256
  /// The largest number of tokens that are trained on in all; nil for no limit.
  public var maximumTokens: Int?
  /// The peak learning rate; nil for 1e-5 of all parameters and 2e-4 of adapters.
  public var learningRate: Double?
  /// The rank of the adapters; 0 trains all parameters.
  public var rank = 16
  /// The weight of the label's loss in two-task training: `L = α L_label + (1 − α) L_rationale`, as the authors' code has it.
  public var alpha = 0.5
  /// The number of rounds of rft and star.
  public var rounds = 1
  /// The number of texts that the student writes for each question, in methods that let it write.
  public var samples = 4
  /// The temperature at which it writes them.
  public var temperature = 0.7
  /// The largest number of tokens of such a text.
  public var maxTokens = 128
  /// The arm whose result training starts from; nil for the student as it is.
  public var start: String?
  /// Further settings of dpo, grpo and gkd, by name.
  public var policy: [String: PolicySetting] = [:]

  /// A value of a setting of a policy method.
  public enum PolicySetting: Sendable, Equatable {
    /// A number, such as the weight of a penalty.
    case number(Double)
    /// A word, such as the name of a normalisation.
    case word(String)
    /// True or false.
    case flag(Bool)
  }

  /// All settings in a fixed order, the same in every process, which tells arms apart.
  var description: String {
    var other = self
    other.policy = [:]
    return "\(other) \(policy.sorted { $0.key < $1.key })"
  }

  /// The keys of a recipe that training of the method reads.
  static func keys(of method: Method) -> [String] {
    let all = ["seeds", "steps", "max_trained_tokens", "learning_rate", "rank", "share", "erasure"]
    let examples = ["epochs", "batch", "context"], writing = ["samples", "temperature", "max_tokens"]
    return switch method {
    case .untrained: ["erasure"]
    case .answerOnly, .cot: all + examples
    case .twoTask: all + examples + ["alpha"]
    case .rft, .star: all + examples + writing + ["rounds"]
    case .dpo, .grpo: all + writing
    case .gkd: all + ["temperature", "max_tokens"]
    }
  }

  /// An arm with the defaults of its method.
  public init(name: String, method: Method) {
    self.name = name
    self.method = method
  }
}

/// How the results are measured.
public struct EvaluationSettings: Sendable, Equatable {
  /// The splits that are asked; those of names `test_oodN` make the curve over lengths.
  public var splits = ["test"]
  /// The largest number of questions of a task in a split; nil for all.
  public var limit: Int?
  /// The largest number of tokens of an answer.
  public var maxTokens = 192
  /// Whether the answers are also written with the calculator in the loop, and corrected afterwards.
  public var usesCalculator = false
  /// The tasks of the evaluation harness that show what got worse.
  public var damage: [String] = ["lambada_openai", "piqa", "arc_easy"]
  /// The largest number of rows of such a task; 0 leaves them out.
  public var damageLimit = 100

  /// The defaults: the test split and a hundred rows of each task for damage.
  public init() {}
}
