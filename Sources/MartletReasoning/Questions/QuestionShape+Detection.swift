import MartletData

extension QuestionShape {
  /// The shape of a row, by its members.
  /// - Returns: nil if the row is in no shape that is known.
  static func of(_ row: JSONObject) -> QuestionShape? {
    func has(_ keys: String...) -> Bool { keys.allSatisfy { row[$0] != nil } }
    // A row of a stage may have members that other shapes have too.
    if has("id", "task", "split", "question"), !has("rationale") { return .rows }
    if has("messages") { return .messages }
    if has("conversations") || has("system_prompt", "question", "response") { return .orca }
    if has("instruction") { return .alpaca }
    if has("prompt") { return .prompt }
    if has("input", "target") { return .bbh }
    guard has("question") else { return nil }
    if has("options", "correct") { return .aqua }
    if has("body") { return .svamp }
    if has("choices"), has("answer_index") || has("answerKey") || has("teacher_rationale") { return .commonsenseqa }
    if row["answer"]?.bool != nil, has("facts") || has("decomposition") || has("qid") { return .strategyqa }
    if has("rationale", "task", "answer") { return .symbolic }
    if has("lang", "answer") { return .mgsm }
    if row["answer"]?.string?.contains("####") == true, !has("response") { return .gsm8k }
    return .rows
  }

  /// The name of the task of rows that name none; nil for that of the file.
  var task: String? {
    switch self {
    case .gsm8k, .svamp, .strategyqa, .commonsenseqa, .aqua, .mgsm: rawValue
    default: nil
    }
  }

  /// The rule by which answers of this shape are compared; nil where rows tell it, or have none.
  func rule(task: String) -> String? {
    switch self {
    case .gsm8k, .svamp, .mgsm: "number"
    case .strategyqa: "yes-no"
    case .commonsenseqa, .aqua: "choice"
    case .symbolic: task == "coin_flip" ? "yes-no" : "exact"
    case .bbh: "exact"
    case .rows, .messages, .prompt, .orca, .alpaca: nil
    }
  }
}
