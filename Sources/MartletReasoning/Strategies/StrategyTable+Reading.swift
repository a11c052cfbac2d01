import CMartletData
import MartletData

extension StrategyTable {
  /// The strategies that are part of the package.
  /// - Throws: never in practice; the file is read by the tests.
  public static var shipped: StrategyTable {
    get throws {
      let file = martlet_find(martlet_teaching, "strategies.json")
      guard let bytes = file.bytes else { throw TeachingError("the strategies of this package are missing") }
      return try StrategyTable(Array(UnsafeBufferPointer(start: bytes, count: file.size)), of: "strategies.json")
    }
  }

  /// Reads a file of strategies.
  /// - Throws: `FileError` that names the file, the line, the key and the cure.
  public static func read(_ path: String) throws -> StrategyTable {
    try StrategyTable(Array(JSONLines.contents(path)), of: path)
  }

  init(_ bytes: [UInt8], of file: String) throws {
    let root = try JSONNode(bytes, of: file, as: "a file of strategies")
    try root.check(["about", "confirmed", "answer_line", "strategies", "clusters", "explanations", "measurements"])
    if let node = root.optional("confirmed"), try !node.bool {
      throw node.failure(
        "its clusters were found by a program and nobody has confirmed them; look at their questions, name them, give each a strategy, and set `confirmed` to true"
      )
    }
    answerLine = try root.optional("answer_line")?.string ?? "End with one sentence of the form 'The answer is X.'"
    explanations = try root.optional("explanations")?.texts ?? []
    strategies = try root.required("strategies").elements.map { node in
      try node.check(["id", "use_when", "teacher_system", "signs", "counter_signs", "longest"])
      let id = try node.required("id").string
      let expressions = try ["signs", "counter_signs"].flatMap { try node.optional($0)?.elements ?? [] }
      for sign in expressions where (try? TextPattern(sign.string)) == nil {
        throw sign.failure("`\(sign.name)` is no regular expression; correct it, or leave it out")
      }
      return Strategy(
        id: id, purpose: try node.optional("use_when")?.string ?? "",
        message: try node.required("teacher_system").string,
        signs: try node.optional("signs")?.texts ?? [],
        counterSigns: try node.optional("counter_signs")?.texts ?? [],
        longest: try node.optional("longest")?.integer(1...Int.max))
    }
    let ids = strategies.map(\.id)
    if Set(ids).count < ids.count || ids.isEmpty {
      throw try root.required("strategies").failure("`strategies` must have different ids, at least one; rename one")
    }
    clusters = try root.required("clusters").elements.map { node in
      try node.check(["cluster", "tasks", "questions", "strategy", "examples"])
      return Cluster(
        name: try node.required("cluster").string, tasks: try node.optional("tasks")?.texts ?? [],
        questions: Set(try node.optional("questions")?.texts ?? []), strategy: try node.required("strategy").word(ids))
    }
  }

  /// The table as a file of strategies.
  public var json: JSONValue {
    [
      "answer_line": .string(answerLine),
      "strategies": .array(
        strategies.map { strategy in
          var object = JSONObject()
          object.append("id", .string(strategy.id))
          object.append("use_when", .string(strategy.purpose))
          object.append("teacher_system", .string(strategy.message))
          if !strategy.signs.isEmpty { object.append("signs", .array(strategy.signs.map { .string($0) })) }
          if !strategy.counterSigns.isEmpty {
            object.append("counter_signs", .array(strategy.counterSigns.map { .string($0) }))
          }
          if let longest = strategy.longest { object.append("longest", .integer(longest)) }
          return .object(object)
        }),
      "clusters": .array(
        clusters.map { cluster in
          var object = JSONObject()
          object.append("cluster", .string(cluster.name))
          object.append("tasks", .array(cluster.tasks.map { .string($0) }))
          if !cluster.questions.isEmpty {
            object.append("questions", .array(cluster.questions.sorted().map { .string($0) }))
          }
          object.append("strategy", .string(cluster.strategy))
          return .object(object)
        }),
      "explanations": .array(explanations.map { .string($0) }),
    ]
  }
}
