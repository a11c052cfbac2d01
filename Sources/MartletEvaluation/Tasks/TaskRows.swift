import MartletData
import MartletModels

/// Makes the rows of a task out of its data.
struct TaskRows {
  private let definition: TaskDefinition
  private let presentation: RowPresentation
  private let base: TextTemplate.Names
  private let rows: [TaskRow]
  private var examples: TaskExamples

  /// Reads the data.
  /// - Throws: ``MissingData``, or `FileError` that names the file, the line and the cure.
  init(_ definition: TaskDefinition, in folder: String, limit: Int?, _ presentation: RowPresentation) throws {
    self.definition = definition
    self.presentation = presentation
    if let missing = definition.missing(in: folder, shots: presentation.shots) { throw missing }
    var base = definition.words
    for table in definition.tables {
      guard let path = table.source.path(in: folder) else { continue }
      base.set(table.name, to: try Self.table(path))
    }
    self.base = base
    let count = presentation.shots ?? definition.shots.count
    guard count >= 0 else {
      throw FileError(file: definition.name, "\(count) examples cannot be drawn; ask for 0 or more")
    }
    var shots = definition.shots
    func read(_ sources: [TaskSource], limit: Int?) throws -> [TaskRow] {
      for source in sources {
        if let path = source.path(in: folder) { return try source.rows(path, base, definition.wordNames, limit: limit) }
      }
      return []
    }
    // Where the file of the examples is not there, the task's rows are the examples, without the question.
    let areOwn = count > 0 && shots.list == nil && shots.sources.allSatisfy { $0.path(in: folder) == nil }
    if areOwn, !shots.sources.isEmpty { shots.leavesOutQuestion = true }
    let all = try read(definition.sources, limit: areOwn ? nil : limit)
    rows = limit.map { Array(all.prefix(max($0, 0))) } ?? all
    var pool: [TaskRow] = []
    if count > 0 {
      if let list = shots.list {
        pool = try Self.listed(list, base, definition)
      } else {
        pool = areOwn ? all : try read(shots.sources, limit: nil)
      }
    }
    examples = try TaskExamples(pool, shots, count: count, seed: presentation.seed, of: definition.name)
  }

  /// A JSON file that templates see.
  private static func table(_ path: String) throws -> JSONValue {
    try JSONNode(Array(JSONLines.contents(path)), of: path, as: "a table of a task").value
  }

  /// Examples of a list: objects, or texts under the name `text`.
  private static func listed(
    _ list: TaskTemplate, _ base: TextTemplate.Names, _ definition: TaskDefinition
  ) throws -> [TaskRow] {
    let value = try list.value(base, at: definition.name)
    guard let items = value.array else {
      throw list.failure("gives \(value.kind) and must give a list", at: definition.name)
    }
    return items.enumerated().map { number, item in
      var object = JSONObject()
      if item.object == nil { object.append("text", item) }
      return TaskRow(
        number: number, place: "\(definition.name), example \(number + 1)",
        value: item.object == nil ? .object(object) : item,
        base: base, words: definition.wordNames, fields: [])
    }
  }

  /// The rows in their order.
  mutating func evaluationRows() throws -> [EvaluationRow] {
    try rows.map { row in
      let names = try row.names(definition.fields)
      var prompt = TaskPrompt(
        system: presentation.system ?? definition.system,
        description: try definition.description?.text(names, at: row.place) ?? "")
      for example in try examples.next(for: row) { try add(example, to: &prompt) }
      return try evaluationRow(row, names, prompt)
    }
  }

  private func add(_ example: TaskRow, to prompt: inout TaskPrompt) throws {
    let names = try example.names(definition.fields + definition.shots.fields)
    let place = example.place
    let target = try target(names, at: place)
    let question: String, answer: String
    switch definition.form {
    case .choices(let context, let choices):
      let texts = try checked(try choices.texts(names, at: place), "choices", at: place)
      (question, answer) = (try context.text(names, at: place), texts[try right(target, texts, at: place)[0]])
    case .contexts(let contexts, let continuation):
      let texts = try contexts.texts(names, at: place)
      (question, answer) = (texts[try right(target, texts, at: place)[0]], try continuation.text(names, at: place))
    case .continuation(let context), .generation(let context, _, _):
      (question, answer) = (try context.text(names, at: place), try answers(target, at: place)[0])
    }
    prompt.add(question: question, delimiter: definition.delimiter, answer: answer)
  }

  private func evaluationRow(_ row: TaskRow, _ names: TextTemplate.Names, _ prompt: TaskPrompt) throws -> EvaluationRow
  {
    let place = row.place
    let target = try target(names, at: place)
    // Behind a chat template an answer begins without a delimiter.
    let delimiter = presentation.chat == nil ? definition.delimiter : ""
    func made(_ question: EvaluationRow.Question, gold: JSONValue, _ basis: RowJudge.Basis) -> EvaluationRow {
      EvaluationRow(
        number: row.number, place: place, question: question, gold: gold,
        judge: RowJudge(place: place, basis: basis, measures: definition.measures))
    }
    func gold(_ right: [Int]) -> JSONValue {
      right.count == 1 ? .integer(right[0]) : .array(right.map { .integer($0) })
    }
    switch definition.form {
    case .choices(let context, let choices):
      let texts = try checked(try choices.texts(names, at: place), "choices", at: place)
      let candidates = try definition.answers?.texts(names, at: place) ?? texts
      guard candidates.count == texts.count else {
        throw FileError(
          file: place, "there are \(candidates.count) `answers` for \(texts.count) `choices`; give one for each")
      }
      let right = try right(target, candidates, at: place)
      let written = try written(prompt, try context.text(names, at: place))
      return made(
        .choices(texts.map { written.request(delimiter + $0) }), gold: gold(right),
        .choices(texts: texts, right: right, candidates: candidates, answers: right.map { candidates[$0] }))
    case .contexts(let contexts, let continuation):
      let texts = try checked(try contexts.texts(names, at: place), "contexts", at: place)
      let end = delimiter + (try continuation.text(names, at: place))
      let right = try right(target, texts, at: place)
      let requests = try texts.map { try written(prompt, $0).request(end) }
      return made(
        .choices(requests), gold: gold(right), .choices(texts: texts, right: right, candidates: texts, answers: []))
    case .continuation(let context):
      let answer = try answers(target, at: place)[0]
      let written = try written(prompt, try context.text(names, at: place))
      return made(
        .continuation(written.request(answer)), gold: .string(answer), .continuation)
    case .generation(let context, let stops, let maxTokens):
      let answers = try answers(target, at: place)
      let written = try written(prompt, try context.text(names, at: place))
      return made(
        .generation(
          GenerationRequest(
            context: written.text, messages: written.messages, stops: stops, maxTokens: maxTokens)),
        gold: target.array == nil ? .string(answers[0]) : .array(answers.map { .string($0) }),
        .generation(answers: answers, filters: definition.filters))
    }
  }

  /// A prompt with its question as the model reads it.
  private struct Written {
    let text: String
    /// The conversation of which that is the text.
    var messages: [ChatMessage]?

    func request(_ continuation: String) -> ContinuationRequest {
      ContinuationRequest(context: text, continuation: continuation, messages: messages)
    }
  }

  private func written(_ prompt: TaskPrompt, _ question: String) throws -> Written {
    guard let chat = presentation.chat else { return Written(text: prompt.text(question: question)) }
    let messages = prompt.messages(question: question, examplesAreTurns: presentation.examplesAreTurns)
    return Written(text: try chat.text(messages), messages: messages)
  }

  // MARK: What is right

  private func target(_ names: TextTemplate.Names, at place: String) throws -> JSONValue {
    try definition.target?.value(names, at: place) ?? .null
  }

  private func checked(_ texts: [String], _ key: String, at place: String) throws -> [String] {
    guard !texts.isEmpty else {
      throw FileError(file: place, "the task's `\(key)` gives no text for this row; correct the row")
    }
    if let empty = texts.firstIndex(where: \.isEmpty) {
      throw FileError(
        file: place,
        "number \(empty + 1) of the task's `\(key)` is empty, so that nothing can be scored; correct the row"
      )
    }
    return texts
  }

  /// The places of the right ones among texts: given as a place, as digits, as one of the texts, or as a list of them.
  private func right(_ target: JSONValue, _ texts: [String], at place: String) throws -> [Int] {
    let targets = target.array ?? [target]
    let places = try targets.map { target -> Int in
      let digits = target.string.flatMap { text in text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
      }
      let number = target.integer ?? target.bool.map { $0 ? 1 : 0 } ?? digits
      if let number, texts.indices.contains(number) { return number }
      if let text = target.string, let found = texts.firstIndex(where: { $0.utf8.elementsEqual(text.utf8) }) {
        return found
      }
      throw FileError(
        file: place,
        "the label \(target.text) is none of the row's \(texts.count) choices; give a place from 0 to \(texts.count - 1) or the text of one of them"
      )
    }
    guard !places.isEmpty else { throw FileError(file: place, "the label is an empty list; give the right choice") }
    return places
  }

  /// The right answers as texts.
  private func answers(_ target: JSONValue, at place: String) throws -> [String] {
    let texts = (target.array ?? [target]).compactMap(\.writtenText)
    guard !texts.isEmpty, texts.count == (target.array?.count ?? 1), !texts.contains("") else {
      throw FileError(
        file: place,
        "the right answer is \(target.array == nil ? target.kind : "a list") without a text; correct the row, or `target`"
      )
    }
    return texts
  }
}

extension TaskDefinition {
  /// What must be fetched before the task can run.
  func missing(in folder: String, shots asked: Int?) -> MissingData? {
    var wanted = [sources] + tables.map { [$0.source] }
    if shots.count > 0, asked != 0, !shots.sources.isEmpty { wanted.append(shots.sources) }
    for sources in wanted where sources.allSatisfy({ $0.path(in: folder) == nil }) {
      return MissingData(
        task: name, folder: folder, files: sources.flatMap(\.files),
        origin: sources.map(\.origin).first { !$0.isEmpty } ?? "",
        licence: sources.map(\.licence).first { !$0.isEmpty } ?? "")
    }
    return nil
  }
}
