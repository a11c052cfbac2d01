import MartletData

/// A question with everything that is known of one answer to it: a line of the files that stages of teaching read and write.
///
/// A stage fills in what it finds out and passes on the rest, also members that it does not know. So the last file says of each example
/// which teacher wrote it, what the teacher was told, with which seed, and which checks it passed.
///
///     {"id":"svamp-17","task":"svamp","split":"train","question":"…","answer":"8","rule":"number",
///      "strategy":"step_by_step","system":"Work through …","teacher":"SmolLM2-1.7B-Instruct","seed":3,"sample":0,
///      "response":"First … The answer is 8.","extracted":"8","correct":true,"completion_tokens":41}
public struct TeachingRow: Sendable, Equatable {
  /// What tells the question from all others of the run.
  public var id: String
  /// The data set or cluster of tasks.
  public var task: String
  /// The part of the data: `train`, `validation`, `test`, or a name of its own such as `test_ood3`.
  public var split: String
  /// What is asked.
  public var question: String
  /// The options of a question with choices.
  public var choices: [String]?
  /// The right answer; nil where none is known.
  public var answer: String?
  /// The name of the rule by which answers are taken out of texts and compared.
  public var rule: String?
  /// The identifier of the strategy that the teacher was told.
  public var strategy: String?
  /// The system message that the teacher was given; after erasing, the one that the student is given.
  public var system: String?
  /// The model that wrote the response.
  public var teacher: String?
  /// The seed of the response.
  public var seed: Int?
  /// The number of the response among those to the same question.
  public var sample: Int?
  /// The text that the teacher wrote.
  public var response: String?
  /// The answer that was found in the response.
  public var extracted: String?
  /// Whether the extracted answer is right.
  public var isCorrect: Bool?
  /// The number of tokens that the teacher read and wrote for the response.
  public var promptTokens, completionTokens: Int?
  /// Why the row is not learnt from; nil while it is.
  public var dropped: String?
  /// Members of the line that have no name here, in their order.
  public var others = JSONObject()

  /// A question that nobody has answered yet.
  public init(id: String, task: String, split: String, question: String, answer: String? = nil) {
    self.id = id
    self.task = task
    self.split = split
    self.question = question
    self.answer = answer
  }
}
