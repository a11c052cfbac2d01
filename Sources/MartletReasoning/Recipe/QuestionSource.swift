/// A file of questions in one of the shapes that people have, and which of its rows are used; or a generator of questions.
public struct QuestionSource: Sendable, Equatable {
  /// Questions that need no file.
  public enum Generator: String, Sendable, CaseIterable {
    /// ``SymbolicQuestions`` of coins: two names in the splits train, validation and test, three in `test_ood3`, four in `test_ood4`.
    case coinFlip = "coin_flip"
    /// ``SymbolicQuestions`` of last letters, with the same splits.
    case lastLetter = "last_letter"
    /// ``ArithmeticQuestions`` of sums and differences up to 99.
    case arithmetic
  }

  /// The generator of the questions, in place of a file; `limits` tells how many each split has, and the recipe's seed draws them.
  public var generator: Generator?
  /// The file: JSON lines or one JSON list, also compressed.
  public var file: String
  /// Its shape; nil where the rows tell it.
  public var shape: QuestionShape?
  /// The name of the task that rows without one get; nil for that of the shape or the file.
  public var task: String?
  /// The tasks that are used; empty for all.
  public var tasks: [String] = []
  /// The split that rows without one get.
  public var split: String?
  /// The splits that are used; empty for all.
  public var splits: [String] = []
  /// The largest number of rows of each task in a split, drawn by the recipe's seed; splits not named are used whole.
  public var limits: [String: Int] = [:]
  /// The number of rows of each task in the training split that are set apart for validation, drawn by the seed.
  public var validation = 0
  /// The rule by which answers are compared; nil for that of the shape.
  public var rule: String?
  /// Whether responses that come with the rows are used; otherwise a teacher is asked.
  public var keepsResponses = true

  /// Who wrote the responses that come with rows that do not say it; nil for `data`.
  public var teacher: String?

  /// All rows of a file.
  public init(_ file: String) { self.file = file }

  /// Questions of a generator.
  /// - Parameters:
  ///   - generator: what is asked.
  ///   - limits: the number of questions of each split.
  public init(_ generator: Generator, limits: [String: Int]) {
    file = generator.rawValue
    self.generator = generator
    self.limits = limits
  }
}
