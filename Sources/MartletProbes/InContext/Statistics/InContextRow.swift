/// A query that a model has answered behind some exemplars: one line of a rows file.
public struct InContextRow: Sendable, Equatable {
  /// What a model answered by generating.
  public enum Answer: Sendable, Equatable {
    /// The number of a label of the task.
    case label(Int)
    /// A text that is none of the labels.
    case outside
  }

  /// The model, where a file holds rows of several.
  public var model: String?
  /// The task, e.g. `subj`.
  public var task: String
  /// The number of exemplars of each class.
  public var shots: Int
  /// The setting, e.g. `regular`, `flipped50` or `sul`.
  public var setting: String
  /// The exemplars and their order are chosen by a seed and a number below it.
  public var context: ContextKey
  /// The identifier of the query.
  public var query: String
  /// The number of the query's true class. Flips never change it.
  public var gold: Int
  /// The texts that stand for the classes in this setting; empty if the file does not tell them.
  public var labels: [String]
  /// The log-likelihood of each class's label behind the query, in nats; empty if the model only generated.
  public var scores: [Double]
  /// The number of tokens of each label; empty if the file does not tell them.
  public var tokenCounts: [Int]
  /// The scores of the labels behind queries without content (Zhao et al., 2021), `[queries][labels]`.
  public var contentFreeScores: [[Double]]
  /// The scores of the labels behind random words of the task's domain (Fei et al., 2023), `[queries][labels]`.
  public var domainScores: [[Double]]
  /// The scores of the natural labels behind the query alone, without exemplars: what the model believes beforehand.
  public var zeroShotScores: [Double]
  /// The generated text, where the model generated.
  public var generated: String?
  /// What the generated text means; nil where the model did not generate.
  public var answer: Answer?
  /// A digest of the model, the prompt, the labels and what else is asked, by which a run that is resumed knows its own rows.
  public var digest: String?

  /// A row with its scores; everything else may be set afterwards.
  public init(
    task: String, shots: Int, setting: String, context: ContextKey, query: String, gold: Int, scores: [Double]
  ) {
    self.task = task
    self.shots = shots
    self.setting = setting
    self.context = context
    self.query = query
    self.gold = gold
    self.scores = scores
    labels = []
    tokenCounts = []
    contentFreeScores = []
    domainScores = []
    zeroShotScores = []
  }

  /// What the row belongs to: all rows of one model, task, number of shots and setting.
  public var cell: CellKey { CellKey(model: model, task: task, shots: shots, setting: setting) }
}

/// Which exemplars stand before a query: the same in all settings and for all models.
public struct ContextKey: Sendable, Hashable, Comparable {
  /// The seed of the choice.
  public var seed: Int
  /// The number of the context below its seed.
  public var block: Int

  /// A context by its seed and number.
  public init(seed: Int, block: Int) {
    self.seed = seed
    self.block = block
  }

  public static func < (one: ContextKey, other: ContextKey) -> Bool {
    (one.seed, one.block) < (other.seed, other.block)
  }
}

/// What rows are put together by.
public struct CellKey: Sendable, Hashable {
  /// The model, where rows of several are together.
  public var model: String?
  /// The task.
  public var task: String
  /// The number of exemplars of each class.
  public var shots: Int
  /// The setting.
  public var setting: String
}
