import MartletData
import MartletModels

/// Reads the file of a task: one task, or one for each member of a group.
enum TaskReader {
  private static let keys = [
    "name", "aliases", "groups", "about", "members", "data", "tables", "fields", "form", "description", "system",
    "context", "contexts",
    "choices", "continuation", "target", "answers", "delimiter", "metrics", "shots", "stops", "max_tokens", "filters",
  ]

  /// - Throws: `FileError` that names the file, the line and the cure.
  static func definitions(_ bytes: [UInt8], of file: String) throws -> [TaskDefinition] {
    let root = try JSONNode(bytes, of: file, as: "a task")
    try root.check(keys)
    guard let node = root.optional("members") else { return [try definition(root, [])] }
    let definitions = try members(node).map { try definition(root, $0) }
    var seen = Set<String>()
    for definition in definitions where !seen.insert(definition.name).inserted {
      throw try root.required("name").failure(
        "two members have the name \(definition.name); write a word of each member into `name`")
    }
    return definitions
  }

  private typealias Words = [(key: String, node: JSONNode)]

  /// The words of every member: those of a list, or every combination of several lists.
  private static func members(_ node: JSONNode) throws -> [Words] {
    let elements = try node.elements
    guard !elements.isEmpty else {
      throw node.failure("`members` is empty; leave it out, or give the words of each member")
    }
    guard elements.allSatisfy({ $0.value.array != nil }) else { return try elements.map { try $0.members } }
    return try elements.reduce([[]]) { combinations, list in
      let added = try list.elements.map { try $0.members }
      return combinations.flatMap { combination in added.map { combination + $0 } }
    }
  }

  private static func definition(_ root: JSONNode, _ members: Words) throws -> TaskDefinition {
    var words = TextTemplate.Names()
    for word in members { words.set(word.key, to: word.node.value) }
    let wordNames = Set(members.map(\.key))
    let name = try root.required("name")
    let taskName = try name.text(words)
    let isName =
      !taskName.isEmpty && taskName.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x2c && $0 != 0x2f }
    guard isName, !taskName.hasSuffix(".json") else {
      throw name.failure(
        "`\(taskName)` cannot be a task's name; use letters, digits, _ and -, so that a command line can name it")
    }
    let data = try root.required("data")
    let form = try form(root, words)
    let filters = try filters(root, words)
    let tables = try root.optional("tables")?.members.map { table in
      TaskDefinition.Table(name: table.key, source: try TaskSource(table.node, words))
    }
    let definition = TaskDefinition(
      name: taskName, aliases: try root.optional("aliases")?.elements.map { try $0.text(words) } ?? [],
      groups: try root.optional("groups")?.elements.map { try $0.text(words) } ?? [],
      about: try root.optional("about")?.text(words) ?? "", words: words, wordNames: wordNames,
      sources: try sources(data, words), tables: tables ?? [],
      fields: try root.optional("fields").map(TaskSource.fields) ?? [],
      form: form, description: try root.optional("description").map(TaskTemplate.init),
      system: try root.optional("system")?.text(words), target: try root.optional("target").map(TaskTemplate.init),
      answers: try root.optional("answers").map(TaskTexts.init),
      delimiter: try root.optional("delimiter")?.text(words) ?? " ",
      shots: try root.optional("shots").map { try shots($0, words) } ?? .init(), filters: filters,
      measures: try measures(try root.required("metrics"), form, filters))
    if definition.target == nil { _ = try root.required("target") }
    let needsAnswers = definition.measures.contains { [.f1, .bestMatch].contains($0.metric.kind) }
    if case .choices = form, needsAnswers, definition.answers == nil { _ = try root.required("answers") }
    return definition
  }

  private static func sources(_ node: JSONNode, _ words: TextTemplate.Names) throws -> [TaskSource] {
    guard node.value.array != nil else { return [try TaskSource(node, words)] }
    let sources = try node.elements.map { try TaskSource($0, words) }
    guard !sources.isEmpty else { throw node.failure("`\(node.name)` is empty; say where the rows are") }
    return sources
  }

  private static func form(_ root: JSONNode, _ words: TextTemplate.Names) throws -> TaskDefinition.Form {
    let node = try root.required("form")
    func refuse(_ keys: String...) throws {
      for key in keys {
        if let other = root.optional(key) {
          throw other.failure("`\(key)` has no meaning in a task of the form \(try node.string); leave it out")
        }
      }
    }
    func context() throws -> TaskTemplate { try TaskTemplate(try root.required("context")) }
    switch try node.string {
    case "choices":
      try refuse("contexts", "continuation", "stops", "max_tokens", "filters")
      return .choices(context: try context(), choices: try TaskTexts(try root.required("choices")))
    case "contexts":
      try refuse("context", "choices", "answers", "stops", "max_tokens", "filters")
      return .contexts(
        try TaskTexts(try root.required("contexts")), continuation: try TaskTemplate(try root.required("continuation")))
    case "continuation":
      try refuse("contexts", "choices", "continuation", "answers", "stops", "max_tokens", "filters")
      return .continuation(context: try context())
    case "generation":
      try refuse("contexts", "choices", "continuation", "answers")
      return .generation(
        context: try context(), stops: try root.optional("stops")?.elements.map { try $0.text(words) } ?? [],
        maxTokens: try root.optional("max_tokens")?.integer(1...1_000_000) ?? 256)
    case let other:
      throw node.failure("`\(other)` is no form of a task; known are choices, contexts, continuation and generation")
    }
  }

  private static func shots(_ node: JSONNode, _ words: TextTemplate.Names) throws -> TaskDefinition.Shots {
    try node.check(["count", "data", "list", "fields", "choose", "leave_out_question"])
    var shots = TaskDefinition.Shots()
    shots.count = try node.optional("count")?.integer(0...10_000) ?? 0
    shots.sources = try node.optional("data").map { try sources($0, words) } ?? []
    shots.list = try node.optional("list").map(TaskTemplate.init)
    if let list = node.optional("list"), !shots.sources.isEmpty {
      throw list.failure("examples are either in `list` or in `data`; leave one of them out")
    }
    shots.fields = try node.optional("fields").map(TaskSource.fields) ?? []
    if let choose = node.optional("choose") {
      switch try choose.string {
      case "first": shots.areFirst = true
      case "random": shots.areFirst = false
      case let other: throw choose.failure("`\(other)` is no way to choose examples; known are first and random")
      }
    }
    shots.leavesOutQuestion =
      try node.optional("leave_out_question")?.bool ?? (shots.sources.isEmpty && shots.list == nil)
    return shots
  }

  private static func filters(_ root: JSONNode, _ words: TextTemplate.Names) throws -> [AnswerFilter] {
    guard let node = root.optional("filters") else { return [] }
    var names = Set<String>()
    return try node.elements.map { node in
      let filter = try AnswerFilter(node, words)
      guard names.insert(filter.name).inserted else {
        throw node.failure(
          "two filters have the name \(filter.name), by which their metrics are told apart; rename one")
      }
      return filter
    }
  }

  private static func measures(
    _ node: JSONNode, _ form: TaskDefinition.Form, _ filters: [AnswerFilter]
  ) throws -> [TaskDefinition.Measure] {
    let allowed: [Metric.Kind] =
      switch form {
      case .choices: [.accuracy, .normalizedAccuracy, .byteAccuracy, .f1, .bestMatch]
      case .contexts: [.accuracy, .normalizedAccuracy, .byteAccuracy]
      case .continuation: [.perplexity, .accuracy]
      case .generation: [.exactMatch, .f1, .inForm]
      }
    let measures = try node.elements.flatMap { node -> [TaskDefinition.Measure] in
      let isName = node.value.string != nil
      let nameNode = isName ? node : try node.required("metric")
      let name = try nameNode.string
      guard let kind = allowed.first(where: { $0.rawValue == name }) else {
        let known = allowed.map(\.rawValue)
        let question = NearestNames.question(name, among: known)
        throw nameNode.failure(
          "`\(name)` is no metric of a task of this form"
            + (question.isEmpty ? "; known are \(known.joined(separator: ", "))" : question))
      }
      if !isName { try node.check(["metric", "filter", "ignore_case", "ignore_punctuation", "ignore", "tolerance"]) }
      let comparison = isName ? AnswerComparison() : try AnswerComparison(node)
      guard case .generation = form else { return [.init(metric: Metric(kind), comparison: comparison)] }
      guard let filter = isName ? nil : node.optional("filter") else {
        let names = filters.isEmpty ? [nil] : filters.map(\.name)
        return names.map { .init(metric: Metric(kind, filter: $0), comparison: comparison) }
      }
      let filterName = try filter.string
      guard filters.contains(where: { $0.name == filterName }) else {
        throw filter.failure("there is no filter `\(filterName)` among `filters`; correct the name")
      }
      return [.init(metric: Metric(kind, filter: filterName), comparison: comparison)]
    }
    guard !measures.isEmpty else { throw node.failure("`metrics` is empty; name what is measured") }
    var names = Set<String>()
    for measure in measures where !names.insert(measure.metric.name).inserted {
      throw node.failure("`metrics` names \(measure.metric.name) twice; leave one of them out")
    }
    return measures
  }
}
