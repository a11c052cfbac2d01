import Foundation
import MartletData
import MartletModels
import MartletTraining

/// Reads one row of a question file in one of the shapes that people have.
struct QuestionForm {
  let shape: QuestionShape
  /// Task and split of rows that name none.
  let task: String
  let split: String
  /// Who wrote the responses that come with the rows.
  let teacher: String

  /// - Throws: `FileError` that names the line, the member and the cure.
  func row(_ line: JSONLines.Line) throws -> TeachingRow {
    if shape == .rows { return try TeachingRow(line, task: task, split: split) }
    guard let object = line.value.object else {
      throw line.failure("it is \(line.value.kind), but each row must be an object")
    }
    let fields = Fields(object, of: line)
    var row: TeachingRow
    switch shape {
    case .messages, .prompt, .orca, .alpaca: row = try conversation(object, line)
    case .svamp: row = try svamp(fields)
    case .aqua: row = try aqua(fields)
    case .commonsenseqa: row = try commonsense(fields)
    case .strategyqa: row = try strategy(fields)
    case .gsm8k: row = try gsm8k(fields)
    case .bbh: row = question(try fields.text("input"), answer: try fields.answer("target"))
    case .rows, .symbolic, .mgsm: row = question(try fields.text("question"), answer: try fields.answer("answer"))
    }
    if shape == .symbolic { row.response = try fields.text("rationale") }
    row.task = try fields.optionalText("task") ?? row.task
    row.split = try fields.optionalText("split") ?? row.split
    if shape == .mgsm { row.task = "mgsm_" + (try fields.text("lang")) }
    let own = try fields.optionalText("id") ?? fields.optionalText("qid")
    row.id = "\(row.task)-" + (own ?? "\(row.split)-\(line.number)")
    row.rule = try fields.optionalText("rule") ?? shape.rule(task: row.task)
    if row.response != nil { row.teacher = try fields.optionalText("teacher") ?? teacher }
    for member in object.members where !TeachingRow.names.contains(member.key) && !Self.read.contains(member.key) {
      row.others[member.key] = member.value
    }
    return row
  }

  /// Members that a row has taken over under another name.
  private static let read: Set = [
    "body", "options", "rationale", "facts", "input", "target", "qid", "answer_index", "answerKey", "teacher_rationale",
    "teacher_answer_index", "teacher_value", "messages", "conversations", "conversation", "prompt", "completion",
    "instruction", "output", "system_prompt", "lang",
  ]

  private func question(_ text: String, answer: String?) -> TeachingRow {
    TeachingRow(id: "", task: task, split: split, question: text, answer: answer)
  }

  private func gsm8k(_ fields: Fields) throws -> TeachingRow {
    let solution = try fields.text("answer")
    let parts = solution.split(separator: "####", omittingEmptySubsequences: false)
    guard parts.count > 1, let last = parts.last else {
      return question(try fields.text("question"), answer: solution)
    }
    var row = question(
      try fields.text("question"), answer: last.filter { $0 != "," && !$0.isWhitespace })
    row.response = solution
    return row
  }

  private func svamp(_ fields: Fields) throws -> TeachingRow {
    var row = question(
      try fields.text("body") + " " + fields.text("question"), answer: try fields.answer("answer"))
    let answer = try fields.answer("teacher_value")
    row.response = try response(fields, "teacher_rationale", answer: answer)
    if row.response != nil, answer == nil { row.dropped = Self.noAnswer }
    return row
  }

  private func aqua(_ fields: Fields) throws -> TeachingRow {
    let answer = try fields.text("correct")
    var row = question(try fields.text("question"), answer: answer)
    row.choices = try fields.texts("options").map { option in
      // "A)21": the letter is told when the question is put.
      option.prefixMatch(of: /\s*\(?[A-Za-z]\s*\)\s*/).map { String(option[$0.range.upperBound...]) } ?? option
    }
    row.response = try response(fields, "rationale", answer: answer)
    return row
  }

  private func commonsense(_ fields: Fields) throws -> TeachingRow {
    let choices = try fields.choices("choices")
    var answer = try fields.answer("answer")
    if answer == nil, let letter = try fields.optionalText("answerKey") {
      guard let index = letter.uppercased().unicodeScalars.first.map({ Int($0.value) - 65 }),
        choices.indices.contains(index)
      else {
        throw fields.line.failure("\"answerKey\" is \"\(letter)\", but there are \(choices.count) choices; correct it")
      }
      answer = choices[index]
    }
    if answer == nil, let index = try fields.choice("answer_index", of: choices) { answer = choices[index] }
    var row = question(try fields.text("question"), answer: answer)
    row.choices = choices
    let chosen = try fields.choice("teacher_answer_index", of: choices)
    row.response = try response(fields, "teacher_rationale", answer: chosen.map { choices[$0] })
    if row.response != nil, chosen == nil { row.dropped = Self.noAnswer }
    return row
  }

  private func strategy(_ fields: Fields) throws -> TeachingRow {
    guard let answer = fields.object["answer"]?.bool.map({ $0 ? "yes" : "no" }) else {
      throw fields.line.failure(
        "\"answer\" is \(fields.object["answer"]?.kind ?? "missing"), but must be true or false")
    }
    var row = question(try fields.text("question"), answer: answer)
    let facts = fields.object.present("facts") == nil ? [] : try fields.texts("facts")
    if !facts.isEmpty { row.response = Self.conclude(facts.joined(separator: " "), answer) }
    return row
  }

  /// Why a rationale that comes to no answer is not learnt from.
  private static let noAnswer = "the teacher gave no answer"

  /// A rationale that comes with the row, with its answer at the end.
  private func response(_ fields: Fields, _ key: String, answer: String?) throws -> String? {
    guard let text = try fields.optionalText(key), !text.isEmpty else { return nil }
    return answer.map { Self.conclude(text, $0) } ?? text
  }

  /// A rationale and its answer in the words of the field's worked examples, by which rules find the answer.
  static func conclude(_ rationale: String, _ answer: String) -> String {
    rationale.trimmingCharacters(in: .whitespacesAndNewlines) + " The answer is \(answer)."
  }

  /// The forms that are trained on elsewhere too: messages, prompts with completions, instructions with outputs.
  private func conversation(_ object: JSONObject, _ line: JSONLines.Line) throws -> TeachingRow {
    var keys = DataReading.Keys()
    // A text alone is nothing that is asked.
    keys.text = ""
    let example: DataExample
    var isAnswered = true
    do throws(FormProblem) {
      if let asked = Self.openMessages(object) {
        example = .conversation(try ConversationRecord(asked))
        isAnswered = false
      } else {
        example = try DataForm(keys: keys).example(object).example
      }
    } catch {
      throw line.failure(error.problem)
    }
    var row: TeachingRow
    switch example {
    case .text(let text): row = question(text, answer: nil)
    case .continuation(let prompt, let completion):
      row = question(prompt, answer: nil)
      row.response = completion
    case .conversation(let conversation):
      var messages = conversation.messages
      guard messages.last?.role == .assistant, let response = messages.popLast(), let asked = messages.popLast(),
        asked.role == .user
      else { throw line.failure("it does not end with a question and its answer; add the message that is missing") }
      row = question(asked.content, answer: nil)
      if isAnswered { row.response = response.content }
      if messages.first?.role == .system { row.system = messages.removeFirst().content }
      if !messages.isEmpty {
        row.others["history"] = .array(
          messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] })
      }
    }
    return row
  }

  /// The messages of a row that only asks, with a placeholder for the answer.
  private static func openMessages(_ object: JSONObject) -> [JSONValue]? {
    let answer: JSONValue = ["role": "assistant", "content": "?"]
    func user(_ text: String) -> JSONValue { ["role": "user", "content": .string(text)] }
    for key in ["messages", "conversations"] {
      guard let list = object[key]?.array, let last = list.last else { continue }
      let role = (last["role"] ?? last["from"])?.string ?? ""
      return ["user", "human", "prompter"].contains(role) ? list + [answer] : nil
    }
    guard !["completion", "response", "output", "answer", "target"].contains(where: { object.present($0) != nil })
    else { return nil }
    if let list = object["prompt"]?.array { return list + [answer] }
    guard let text = (object["prompt"] ?? object["instruction"] ?? object["question"])?.string else { return nil }
    let input = object["input"]?.string.map { $0.isEmpty ? "" : "\n\n" + $0 } ?? ""
    let system =
      object["system_prompt"]?.string.map { [["role": "system", "content": .string($0)] as JSONValue] } ?? []
    return system + [user(text + input), answer]
  }
}
