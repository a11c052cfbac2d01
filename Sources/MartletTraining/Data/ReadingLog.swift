import MartletData

/// What happened while a file of data was read, so that nothing is left out without a word.
struct ReadingLog {
  let path: String
  let keys: DataReading.Keys
  let skipsBadLines: Bool
  /// Line and column of a byte of the file.
  let place: (Int) -> (line: Int, column: Int)

  var notes: [String] = []
  /// Records with half a character (a lone surrogate), which is read as U+FFFD.
  var halfPairs = 0
  /// Examples without anything to learn.
  var empty = 0

  private var forms: [String: Int] = [:]
  private var remarks: [ConversationRecord.Remark: Int] = [:]
  private var skipped = 0
  private var firstSkipped: String?
  private var cutExamples = 0, cutTokens = 0, cutCounting = 0
  private var promptsOnly = 0, promptTokens = 0
  /// The context in which everything would fit.
  private var needed = 0

  init(
    path: String, keys: DataReading.Keys, skipsBadLines: Bool, place: @escaping (Int) -> (line: Int, column: Int)
  ) {
    self.path = path
    self.keys = keys
    self.skipsBadLines = skipsBadLines
    self.place = place
  }

  mutating func count(form: String) { forms[form, default: 0] += 1 }
  mutating func count(_ found: Set<ConversationRecord.Remark>) {
    for remark in found { remarks[remark, default: 0] += 1 }
  }

  /// - Throws: the error itself, where bad lines are not to be passed over.
  mutating func skip(_ bad: BadRecord) throws {
    let (line, column) = place(bad.offset)
    let problem = bad.problem.printable
    guard skipsBadLines else {
      throw TrainingError("\(path), line \(line), column \(column): \(problem) (--skip-bad-lines skips it)")
    }
    skipped += 1
    firstSkipped = firstSkipped ?? "line \(line), column \(column): \(problem)"
  }

  /// Tokens behind the end of the context.
  mutating func cut(_ tokens: Int, counting: Int, needed: Int) {
    cutExamples += 1
    cutTokens += tokens
    cutCounting += counting
    self.needed = max(self.needed, needed)
  }

  /// An example whose prompt leaves no room for the answer.
  mutating func leaveOut(_ tokens: Int, needed: Int) {
    promptsOnly += 1
    promptTokens += tokens
    self.needed = max(self.needed, needed)
  }

  /// What is to be said.
  /// - Throws: ``TrainingError`` where nothing is left to train on.
  func finish(examples: Int, context: Int) throws -> [String] {
    var notes = notes
    func lines(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }
    for (form, count) in forms.sorted(by: { $0.key < $1.key }) {
      notes.append("\(lines(count)) in \(form); written as conversations")
    }
    for remark in ConversationRecord.Remark.allCases {
      guard let count = remarks[remark] else { continue }
      notes.append("in \(lines(count)) \(remark.rawValue)")
    }
    if halfPairs > 0 {
      notes.append("\(lines(halfPairs)) with half of a surrogate pair (\\ud800 to \\udfff alone), read as U+FFFD")
    }
    if let firstSkipped {
      notes.append("\(lines(skipped)) of \(path) could not be used (skipped); the first: \(firstSkipped)")
    }
    if empty > 0 { notes.append("\(lines(empty)) skipped: nothing to train on (empty, or no answer that counts)") }
    if cutExamples > 0 {
      notes.append(
        "\(cutTokens) tokens left out (\(cutCounting) of them count): they lie beyond the context of \(context) tokens in \(cutExamples) examples; --context \(needed) uses all"
      )
    }
    if promptsOnly > 0 {
      let fill = "the prompt alone fills the context of \(context) tokens"
      if examples == 0, empty == 0, skipped == 0 {
        throw TrainingError(
          "\(path): in \(promptsOnly == 1 ? "the only example" : "all \(promptsOnly) examples") \(fill), so nothing is left to train on; raise --context to \(needed)"
        )
      }
      notes.append(
        "\(promptTokens) tokens left out: in \(promptsOnly) examples \(fill); --context \(needed) uses all")
    }
    guard examples > 0 else {
      throw TrainingError(
        skipped > 0
          ? "\(path): no record can be used; the first reason: \(firstSkipped ?? "")"
          : "\(path): no line contains an example; each needs \"\(keys.text)\", \"\(keys.messages)\", or \"\(keys.prompt)\" and \"\(keys.completion)\", with text that counts in the loss"
      )
    }
    return notes
  }
}
