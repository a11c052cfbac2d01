import MartletTensor
import MartletTraining

/// What an arm learns from: rows that were selected, written as prompts and targets in the way of the arm's method.
///
/// Of two arms with the same rows each makes an example of the same questions, so that they differ in what is learnt and in nothing else.
public struct ArmExamples: Sendable {
  /// The examples as tokens. Only answers count in the loss. In two-task training an example belongs to task 0 (labels) or 1
  /// (rationales).
  public private(set) var data = TrainingData()
  /// The weight of the loss of each task; nil where there is one task.
  public private(set) var taskShares: [Double]?
  /// The number of questions that are learnt from.
  public private(set) var questionCount = 0
  /// The number of examples that were left out because they are longer than the arm's context.
  public private(set) var tooLongCount = 0
  /// The number of rows that were left out because they lack the answer or the response that the method needs.
  public private(set) var incompleteCount = 0

  /// Makes examples.
  ///
  /// - Parameters:
  ///   - rows: questions with responses, in their order; dropped ones are left out. Their system messages are those of the arm.
  ///   - arm: the method, the share of the questions and the context.
  ///   - prompt: how questions are put to the student.
  ///   - seed: the seed of the recipe, which draws the questions of a share: smaller shares are parts of larger ones.
  /// - Throws: ``TeachingError`` if nothing can be learnt from the rows; `ModelError` if the chat template refuses one.
  public init(_ rows: [TeachingRow], arm: ArmSettings, prompt: StudentPrompt, seed: Int) throws {
    var used = rows.filter { $0.dropped == nil }
    if arm.share < 1 {
      let chosen = Self.questions(of: used, share: arm.share, seed: seed)
      used = used.filter { chosen.contains($0.id) }
    }
    if arm.method == .twoTask { taskShares = [arm.alpha, 1 - arm.alpha] }
    var asked: Set<String> = []
    for row in used {
      let isFirst = asked.insert(row.id).inserted
      func add(_ target: String?, _ prefix: StudentPrompt.Prefix = .none, task: Int = 0) throws {
        guard let target, !target.isEmpty else {
          incompleteCount += 1
          return
        }
        let (tokens, counts) = try prompt.example(asking: row, system: row.system, prefix: prefix, answer: target)
        guard tokens.count <= arm.context + 1 else {
          tooLongCount += 1
          return
        }
        data.append(tokens, counts: counts, task: task)
      }
      switch arm.method {
      case .answerOnly:
        // Further responses to a question have the same answer.
        if isFirst { try add(row.answerSentence) }
      case .twoTask:
        if isFirst { try add(row.answerSentence, .label) }
        try add(row.rationale, .rationale, task: 1)
      default:
        try add(row.response)
      }
    }
    questionCount = asked.count
    guard !data.examples.isEmpty else {
      throw TeachingError(
        "arm \(arm.name) has nothing to learn from: of \(rows.count) rows \(rows.count - used.count) are dropped or outside its share, "
          + "\(incompleteCount) lack what \(arm.method.rawValue) needs, and \(tooLongCount) are longer than its context of "
          + "\(arm.context) tokens; raise \"context\", or look at the rows")
    }
  }

  /// The questions of a share of all, at least one: the first of an order that depends on the seed alone.
  static func questions(of rows: [TeachingRow], share: Double, seed: Int) -> Set<String> {
    var seen: Set<String> = []
    let ids = rows.map(\.id).filter { seen.insert($0).inserted }
    let order = RandomSource(seed: UInt64(bitPattern: Int64(seed))).stream("share of questions").permutation(ids.count)
    return Set(order.prefix(max(1, Int((share * Double(ids.count)).rounded()))).map { ids[$0] })
  }
}
