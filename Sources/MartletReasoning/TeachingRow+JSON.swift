import MartletData

extension TeachingRow {
  /// Reads a line. Members without a name here are kept in ``others``.
  /// - Throws: `FileError` that names the line and the member that is wrong.
  public init(_ line: JSONLines.Line) throws { try self.init(line, task: "questions", split: "train") }

  /// Reads a line whose task and split, where it names none, are known otherwise.
  init(_ line: JSONLines.Line, task: String, split: String) throws {
    guard let object = line.value.object else {
      throw line.failure("it is \(line.value.kind), but each line must be an object with a \"question\"")
    }
    func text(_ key: String) throws -> String? {
      guard let value = object.present(key) else { return nil }
      // Answers are often numbers.
      if let number = value.integer { return "\(number)" }
      if let flag = value.bool { return flag ? "true" : "false" }
      if case .number = value { return value.text }
      guard let text = value.string else { throw line.failure("\"\(key)\" is \(value.kind), but must be a text") }
      return text
    }
    func count(_ key: String) throws -> Int? {
      guard let value = object.present(key) else { return nil }
      guard let number = value.integer else {
        throw line.failure("\"\(key)\" is \(value.kind), but must be a whole number")
      }
      return number
    }
    guard let question = try text("question") else { throw line.failure("it has no \"question\"; add one") }
    self.init(
      id: try text("id") ?? "\(line.number)", task: try text("task") ?? task,
      split: try text("split") ?? split,
      question: question, answer: try text("answer"))
    if let value = object.present("choices") {
      guard let list = value.array, case let texts = list.compactMap(\.string), texts.count == list.count else {
        throw line.failure("\"choices\" is \(value.kind), but must be a list of texts")
      }
      choices = texts
    }
    rule = try text("rule")
    strategy = try text("strategy")
    system = try text("system")
    teacher = try text("teacher")
    seed = try count("seed")
    sample = try count("sample")
    response = try text("response")
    extracted = try text("extracted")
    if let value = object.present("correct") {
      guard let flag = value.bool else {
        throw line.failure("\"correct\" is \(value.kind), but must be true or false")
      }
      isCorrect = flag
    }
    promptTokens = try count("prompt_tokens")
    completionTokens = try count("completion_tokens")
    dropped = try text("dropped")
    for member in object.members where !Self.names.contains(member.key) { others[member.key] = member.value }
  }

  static let names: Set = [
    "id", "task", "split", "question", "choices", "answer", "rule", "strategy", "system", "teacher", "seed", "sample",
    "response", "extracted", "correct", "prompt_tokens", "completion_tokens", "dropped",
  ]

  /// The row as an object, with its known members first; what is nil is left out.
  public var json: JSONValue {
    var object = JSONObject()
    func add(_ key: String, _ text: String?) { if let text { object.append(key, .string(text)) } }
    func add(_ key: String, _ count: Int?) { if let count { object.append(key, .integer(count)) } }
    add("id", id)
    add("task", task)
    add("split", split)
    add("question", question)
    if let choices { object.append("choices", .array(choices.map { .string($0) })) }
    add("answer", answer)
    add("rule", rule)
    add("strategy", strategy)
    add("system", system)
    add("teacher", teacher)
    add("seed", seed)
    add("sample", sample)
    add("response", response)
    add("extracted", extracted)
    if let isCorrect { object.append("correct", .bool(isCorrect)) }
    add("prompt_tokens", promptTokens)
    add("completion_tokens", completionTokens)
    add("dropped", dropped)
    for member in others.members { object.append(member.key, member.value) }
    return .object(object)
  }
}
