import MartletData

extension InContextRow {
  /// Reads the rows of a file of JSON lines.
  /// - Throws: `FileError` that names the line that is wrong, and what it should be.
  public static func read(_ path: String) throws -> [InContextRow] {
    var seen: [String: Int] = [:], sizes: [CellKey: (count: Int, line: Int)] = [:]
    let rows = try JSONLines.read(path).map { line in
      let row = try InContextRow(line)
      let (cell, context) = (row.cell, row.context)
      let identity = "\(cell) \(context) \(row.query)"
      if let first = seen.updateValue(line.number, forKey: identity) {
        throw line.failure(
          "it asks the same query of the same context as line \(first) (task, k, setting, seed, block and eval_id are equal); remove one of them"
        )
      }
      if let (count, first) = sizes[cell], count != row.scores.count {
        throw line.failure(
          "it has \(row.scores.count) scores in \"lp\" but line \(first) of the same cell has \(count); all rows of a cell need one score for each label"
        )
      }
      if sizes[cell] == nil { sizes[cell] = (row.scores.count, line.number) }
      return row
    }
    guard !rows.isEmpty else {
      throw FileError(
        file: path,
        "it contains no rows; give JSON lines such as {\"task\":\"subj\",\"k\":4,\"setting\":\"regular\",\"seed\":1,\"block\":0,\"eval_id\":\"a\",\"gold\":0,\"lp\":[-0.2,-1.8]}"
      )
    }
    return rows
  }

  init(_ line: JSONLines.Line) throws {
    guard line.value.object != nil else { throw line.failure("it is \(line.value.kind) but must be a JSON object") }
    let fields = RowFields(line: line)
    let labels = try fields.texts("labels")
    let answerText = try fields.optionalText("generated")
    let scores = try fields.scores("lp") ?? []
    let hasAnswer = line.value["answer"] != nil || answerText != nil && !labels.isEmpty
    if scores.isEmpty, !hasAnswer {
      throw line.failure(
        "it has no \"lp\": give the log-likelihood of each label, or the generated \"answer\" (a label's number, or null for none)"
      )
    }
    let count = scores.isEmpty ? labels.count : scores.count
    guard labels.isEmpty || labels.count == count else {
      throw line.failure(
        "it names \(labels.count) \"labels\" but has \(count) scores in \"lp\"; both need one for each label")
    }
    self.init(
      task: try fields.text("task"), shots: try fields.integer("k"), setting: try fields.text("setting"),
      context: ContextKey(seed: try fields.integer("seed"), block: try fields.integer("block")),
      query: try fields.identifier("eval_id"), gold: try fields.label("gold", labels: labels, count: count),
      scores: scores)
    guard shots >= 0 else { throw line.failure("\"k\" is \(shots) but must be 0 or more") }
    self.labels = labels
    model = try fields.optionalText("model")
    tokenCounts = try (line.value["tokens"]?.array ?? []).map {
      guard let value = $0.integer, value > 0 else {
        throw line.failure("\"tokens\" must hold the number of tokens of each label, each at least 1")
      }
      return value
    }
    guard tokenCounts.isEmpty || tokenCounts.count == count else {
      throw line.failure("\"tokens\" has \(tokenCounts.count) numbers but there are \(count) labels")
    }
    contentFreeScores = try fields.scoreLists("lp_content_free", count: count)
    domainScores = try fields.scoreLists("lp_domain", count: count)
    zeroShotScores = try fields.scores("lp_zero_shot") ?? []
    guard zeroShotScores.isEmpty || zeroShotScores.count == count else {
      throw line.failure("\"lp_zero_shot\" has \(zeroShotScores.count) scores but there are \(count) labels")
    }
    generated = answerText
    if let value = line.value["answer"] {
      answer = value.isNull ? .outside : .label(try fields.label("answer", labels: labels, count: count))
    } else if let answerText, !labels.isEmpty {
      answer = Answer(answerText, among: labels)
    }
    digest = try fields.optionalText("digest")
  }

  /// The row as an object of a rows file.
  public var json: JSONValue {
    var object = JSONObject()
    func list(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
    if let model { object.append("model", .string(model)) }
    object.append("task", .string(task))
    object.append("k", .integer(shots))
    object.append("setting", .string(setting))
    object.append("seed", .integer(context.seed))
    object.append("block", .integer(context.block))
    object.append("eval_id", .string(query))
    object.append("gold", .integer(gold))
    if !labels.isEmpty { object.append("labels", .array(labels.map { .string($0) })) }
    if !scores.isEmpty { object.append("lp", list(scores)) }
    if !tokenCounts.isEmpty { object.append("tokens", .array(tokenCounts.map { .integer($0) })) }
    if !contentFreeScores.isEmpty { object.append("lp_content_free", .array(contentFreeScores.map(list))) }
    if !domainScores.isEmpty { object.append("lp_domain", .array(domainScores.map(list))) }
    if !zeroShotScores.isEmpty { object.append("lp_zero_shot", list(zeroShotScores)) }
    if let generated { object.append("generated", .string(generated)) }
    switch answer {
    case .label(let number): object.append("answer", .integer(number))
    case .outside: object.append("answer", .null)
    case nil: break
    }
    if let digest { object.append("digest", .string(digest)) }
    return .object(object)
  }
}

extension InContextRow.Answer {
  /// The label that a generated text is, without the white space around both; outside where it is none.
  public init(_ text: String, among labels: [String]) {
    let text = text.trimmingWhiteSpace
    self = labels.firstIndex { $0.trimmingWhiteSpace == text }.map { .label($0) } ?? .outside
  }
}

/// The fields of a line, with errors that say what they should be.
private struct RowFields {
  let line: JSONLines.Line

  private func value(_ key: String, _ wanted: String) throws -> JSONValue {
    guard let value = line.value.object?.present(key) else {
      throw line.failure("it has no \"\(key)\"; give \(wanted)")
    }
    return value
  }

  private func failure(_ key: String, _ value: JSONValue, _ wanted: String) -> FileError {
    let shown = value.text
    return line.failure("\"\(key)\" is \(shown.count > 40 ? value.kind : shown) but must be \(wanted)")
  }

  func text(_ key: String) throws -> String {
    let value = try value(key, "a text")
    guard let text = value.string else { throw failure(key, value, "a text") }
    return text
  }

  func optionalText(_ key: String) throws -> String? {
    guard let value = line.value.object?.present(key) else { return nil }
    guard let text = value.string else { throw failure(key, value, "a text") }
    return text
  }

  func texts(_ key: String) throws -> [String] {
    guard let value = line.value.object?.present(key) else { return [] }
    guard let list = value.array, list.count > 1, list.allSatisfy({ $0.string != nil }) else {
      throw failure(key, value, "a list of at least two texts")
    }
    return list.compactMap(\.string)
  }

  func integer(_ key: String) throws -> Int {
    let value = try value(key, "a whole number")
    guard let number = value.integer else { throw failure(key, value, "a whole number") }
    return number
  }

  /// A text, or a number as its text.
  func identifier(_ key: String) throws -> String {
    let value = try value(key, "a text or a whole number")
    if let text = value.string { return text }
    guard let number = value.integer else { throw failure(key, value, "a text or a whole number") }
    return "\(number)"
  }

  /// The number of a label, given as such or by its text.
  func label(_ key: String, labels: [String], count: Int) throws -> Int {
    let value = try value(key, "the number of a label, counted from 0")
    if let text = value.string {
      guard let number = labels.firstIndex(of: text) else {
        throw failure(
          key, value,
          labels.isEmpty
            ? "the number of a label, counted from 0 (a text needs \"labels\" in the same row)"
            : "one of the \"labels\": \(labels.joined(separator: ", "))")
      }
      return number
    }
    guard let number = value.integer, number >= 0, number < count else {
      throw failure(key, value, "the number of a label, from 0 to \(count - 1)")
    }
    return number
  }

  func scores(_ key: String) throws -> [Double]? {
    guard let value = line.value.object?.present(key) else { return nil }
    return try scores(value, key)
  }

  private func scores(_ value: JSONValue, _ key: String) throws -> [Double] {
    let wanted = "a list of at least two log-likelihoods"
    guard let list = value.array, list.count > 1 else { throw failure(key, value, wanted) }
    return try list.map {
      guard let number = $0.number, number.isFinite else {
        throw failure(key, value, "\(wanted), each a finite number")
      }
      return number
    }
  }

  func scoreLists(_ key: String, count: Int) throws -> [[Double]] {
    guard let value = line.value.object?.present(key) else { return [] }
    guard let lists = value.array, !lists.isEmpty else { throw failure(key, value, "a list of lists of scores") }
    return try lists.map {
      let scores = try scores($0, key)
      guard scores.count == count else {
        throw line.failure("\"\(key)\" has a list of \(scores.count) scores but there are \(count) labels")
      }
      return scores
    }
  }
}

extension String {
  /// The text without white space at its ends.
  var trimmingWhiteSpace: String {
    var text = self[...]
    while text.first?.isWhitespace ?? false { text.removeFirst() }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return String(text)
  }
}
