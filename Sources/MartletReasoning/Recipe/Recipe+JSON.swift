import Foundation
import MartletData

extension Recipe {
  /// Reads a recipe.
  /// - Throws: `FileError` that names the file, the line, the key and the cure.
  public static func read(_ path: String) throws -> Recipe {
    try Recipe(Array(JSONLines.contents(path)), of: path == "-" ? "standard input" : path)
  }

  /// Reads the text of a recipe.
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - file: its name, for messages.
  /// - Throws: `FileError` that names the file, the line, the key and the cure.
  public init(_ bytes: [UInt8], of file: String) throws {
    let root = try JSONNode(bytes, of: file, as: "a recipe")
    try root.check([
      "name", "about", "seed", "questions", "teacher", "generation", "selection", "strategies", "student", "training",
      "arms", "evaluation",
    ])
    let name = try root.required("name")
    self.name = try name.string
    guard !self.name.isEmpty, self.name.count <= 200 else {
      throw name.failure("`name` must have 1 to 200 characters")
    }
    about = try root.optional("about")?.string ?? ""
    seed = try root.optional("seed")?.integer(0...Int(UInt32.max)) ?? 1
    let questions = try root.required("questions")
    self.questions = try questions.elements.map { try QuestionSource($0) }
    if self.questions.isEmpty { throw questions.failure("`questions` is empty; name at least one file") }
    teacher = try root.optional("teacher").map { try TeacherSettings($0) }
    generation = try root.optional("generation").map { try GenerationSettings($0) } ?? GenerationSettings()
    selection = try root.optional("selection").map { try SelectionSettings($0) } ?? SelectionSettings()
    strategies = try root.optional("strategies").map { try StrategySettings($0) }
    student = try StudentSettings(root.required("student"))
    let training = root.optional("training")
    let arms = try root.required("arms")
    self.arms = try arms.elements.map { try ArmSettings($0, training) }
    evaluation = try root.optional("evaluation").map { try EvaluationSettings($0) } ?? EvaluationSettings()
    source = String(decoding: bytes, as: UTF8.self)
    try checkArms(arms)
    if generation.prompt == .strategy, strategies == nil {
      throw try root.required("generation").failure(
        "`generation.prompt` is \"strategy\", but there are no `strategies`; add them, or choose another prompt")
    }
  }

  /// Names must differ, and an arm can only start from one before it.
  private func checkArms(_ node: JSONNode) throws {
    if arms.isEmpty { throw node.failure("`arms` is empty; name at least one way of training") }
    var seen: Set<String> = []
    for (arm, place) in zip(arms, try node.elements) {
      if let start = arm.start, !seen.contains(start) {
        throw try place.required("start").failure(
          "\"\(start)\" is no arm before this one"
            + (NearestNames.question(start, among: seen.sorted()))
            + "; an arm starts from the result of an earlier one")
      }
      if [.dpo, .grpo, .gkd].contains(arm.method), arm.rank == 0 {
        throw place.failure("\(arm.method.rawValue) trains adapters, but `rank` is 0; set it above 0")
      }
      if [.dpo, .grpo].contains(arm.method), arm.samples < 2 {
        throw place.failure("\(arm.method.rawValue) compares answers to one question; set `samples` to at least 2")
      }
      if [.dpo, .grpo, .gkd].contains(arm.method), arm.temperature == 0 {
        throw place.failure("\(arm.method.rawValue) draws answers, but `temperature` is 0; set it above 0")
      }
      if arm.method == .gkd, teacher == nil || teacher?.endpoint != nil {
        throw place.failure(
          "gkd reads the probabilities of a model in this process, but the recipe names none; give one with the student's tokenizer as `teacher.model`"
        )
      }
      if !seen.insert(arm.name).inserted {
        throw try place.required("name").failure("two arms have the name \"\(arm.name)\"; rename one")
      }
    }
  }
}

extension QuestionSource {
  init(_ node: JSONNode) throws {
    if let file = node.value.string {
      self.init(file)
      return
    }
    if let generator = node.optional("generate") {
      try node.check(["generate", "limits"])
      let limits = try node.required("limits")
      var counts: [String: Int] = [:]
      let splits = ["train", "validation", "test", "test_ood3", "test_ood4"]
      try limits.check(splits)
      for (name, limit) in try limits.members { counts[name] = try limit.integer(1...1_000_000) }
      if counts.isEmpty {
        throw limits.failure("`\(limits.name)` is empty; give the number of questions of each split")
      }
      self.init(try generator.word(of: Generator.self), limits: counts)
      return
    }
    try node.check([
      "file", "shape", "task", "tasks", "split", "splits", "limits", "validation", "rule", "keep_responses", "teacher",
    ])
    self.init(try node.required("file").string)
    shape = try node.optional("shape")?.word(of: QuestionShape.self)
    task = try node.optional("task")?.string
    tasks = try node.optional("tasks")?.texts ?? []
    split = try node.optional("split")?.string
    splits = try node.optional("splits")?.texts ?? []
    for (name, limit) in try node.optional("limits")?.members ?? [] { limits[name] = try limit.integer(0...Int.max) }
    validation = try node.optional("validation")?.integer(0...Int.max) ?? validation
    rule = try node.optional("rule")?.string
    teacher = try node.optional("teacher")?.string
    keepsResponses = try node.optional("keep_responses")?.bool ?? keepsResponses
  }
}

extension TeacherSettings {
  init(_ node: JSONNode) throws {
    try node.check([
      "model", "endpoint", "key_variable", "parallel", "requests_per_minute", "retries", "timeout", "format",
      "accepted_models",
      "prompt_price",
      "completion_price", "budget",
    ])
    self.init(model: try node.required("model").string, endpoint: try node.optional("endpoint")?.string)
    if endpoint == nil {
      for key in ["key_variable", "requests_per_minute", "prompt_price", "completion_price", "budget"] {
        if let member = node.optional(key) {
          throw member.failure("`\(member.name)` needs an `endpoint`; a model in this process costs nothing")
        }
      }
    }
    keyVariable = try node.optional("key_variable")?.string ?? keyVariable
    isChat = try node.optional("format")?.word(["chat", "plain"]) != "plain"
    acceptedModels = try node.optional("accepted_models")?.texts ?? []
    parallel = try node.optional("parallel")?.integer(1...256) ?? parallel
    requestsPerMinute = try node.optional("requests_per_minute")?.integer(1...1_000_000)
    retries = try node.optional("retries")?.integer(0...100) ?? retries
    timeout = try node.optional("timeout")?.number(0.1...86_400) ?? timeout
    promptPrice = try node.optional("prompt_price")?.number(0...1e9)
    completionPrice = try node.optional("completion_price")?.number(0...1e9)
    budget = try node.optional("budget")?.number(0...1e12)
    if let limit = node.optional("budget"), promptPrice == nil || completionPrice == nil {
      throw limit.failure("`\(limit.name)` needs `prompt_price` and `completion_price` of a million tokens; add them")
    }
  }
}

extension GenerationSettings {
  init(_ node: JSONNode) throws {
    try node.check([
      "prompt", "exemplars", "shots", "give_answer", "samples", "temperature", "top_p", "max_tokens", "stops",
    ])
    prompt = try node.optional("prompt")?.word(of: Prompt.self) ?? prompt
    exemplars = try node.optional("exemplars")?.string
    shots = try node.optional("shots")?.integer(1...100) ?? shots
    givesAnswer = try node.optional("give_answer")?.bool ?? givesAnswer
    samples = try node.optional("samples")?.integer(1...1000) ?? samples
    temperature = try node.optional("temperature")?.number(0...10) ?? temperature
    topP = try node.optional("top_p")?.number(0.0001...1) ?? topP
    maxTokens = try node.optional("max_tokens")?.integer(1...1_000_000) ?? maxTokens
    stops = try node.optional("stops")?.texts ?? stops
    if let place = node.optional("samples"), samples > 1, temperature == 0 {
      throw place.failure(
        "`\(place.name)` is \(samples), but at temperature 0 all of them are the same; set `temperature` above 0")
    }
  }
}

extension SelectionSettings {
  init(_ node: JSONNode) throws {
    try node.check([
      "only_correct", "duplicates", "per_question", "minimum_length", "maximum_length", "mixture",
    ])
    onlyCorrect = try node.optional("only_correct")?.bool ?? onlyCorrect
    duplicates = try node.optional("duplicates")?.word(of: Duplicates.self) ?? duplicates
    perQuestion = try node.optional("per_question")?.integer(1...Int.max)
    minimumLength = try node.optional("minimum_length")?.integer(0...Int.max)
    maximumLength = try node.optional("maximum_length")?.integer(1...Int.max)
    if let low = minimumLength, let high = maximumLength, low > high {
      throw try node.required("minimum_length").failure(
        "`selection.minimum_length` is above `selection.maximum_length`, so nothing would be left; lower it")
    }
    mixture =
      try node.optional("mixture")?.elements.map { part in
        try part.check(["source", "share"])
        return Mixture(
          source: try QuestionSource(part.required("source")), share: try part.required("share").number(0.0001...0.9999)
        )
      } ?? []
    if mixture.reduce(0, { $0 + $1.share }) >= 1 {
      throw try node.required("mixture").failure("the shares of `selection.mixture` must add up to less than 1")
    }
  }
}

extension StrategySettings {
  init(_ node: JSONNode) throws {
    try node.check(["file", "tried", "split", "limit", "judge", "fixed"])
    file = try node.optional("file")?.string
    tried = try node.optional("tried")?.texts ?? tried
    split = try node.optional("split")?.string ?? split
    limit = try node.optional("limit")?.integer(1...Int.max) ?? limit
    judge = try node.optional("judge")?.word(of: Judge.self) ?? judge
    for (cluster, strategy) in try node.optional("fixed")?.members ?? [] { fixed[cluster] = try strategy.string }
  }
}

extension StudentSettings {
  init(_ node: JSONNode) throws {
    try node.check(["model", "format", "system"])
    model = try node.required("model").string
    isChat = try node.optional("format")?.word(["chat", "plain"]) != "plain"
    // An empty text asks for no message; only an absent one takes the default.
    let message = try node.optional("system")?.string ?? Self.carefulMessage
    system = message.isEmpty ? nil : message
  }
}

extension ArmSettings {
  private static let trainingKeys = [
    "seeds", "epochs", "steps", "batch", "context", "max_trained_tokens", "learning_rate", "rank", "alpha", "rounds",
    "samples", "temperature", "max_tokens", "share", "erasure",
  ]

  /// - Parameter training: settings that all arms share, and each may give otherwise.
  init(_ node: JSONNode, _ training: JSONNode?) throws {
    try training?.check(Self.trainingKeys)
    try node.check(["name", "method", "start", "policy"] + Self.trainingKeys)
    let name = try node.required("name"), text = try name.string
    guard text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/) != nil else {
      throw name.failure("\"\(text)\" cannot be a folder's name; use letters, digits, _, . and -")
    }
    self.init(name: text, method: try node.required("method").word(of: Method.self))
    for key in Self.trainingKeys where !Self.keys(of: method).contains(key) {
      if let idle = node.optional(key) {
        throw idle.failure("`\(idle.name)` has no effect on the method \(method.rawValue); remove it")
      }
    }
    func own(_ key: String) -> JSONNode? { node.optional(key) ?? training?.optional(key) }
    erasure = try own("erasure")?.word(of: Erasure.self) ?? erasure
    share = try own("share")?.number(0.0001...1) ?? share
    if let list = own("seeds") {
      seeds = try list.elements.map { try $0.integer(0...Int(UInt32.max)) }
      if seeds.isEmpty || Set(seeds).count < seeds.count {
        throw list.failure("`\(list.name)` must hold different numbers, at least one")
      }
    }
    epochs = try own("epochs")?.number(0.01...10_000) ?? epochs
    steps = try own("steps")?.integer(1...10_000_000)
    batch = try own("batch")?.integer(1...65_536) ?? batch
    context = try own("context")?.integer(8...1_048_576) ?? context
    maximumTokens = try own("max_trained_tokens")?.integer(1...Int.max)
    learningRate = try own("learning_rate")?.number(1e-9...1)
    rank = try own("rank")?.integer(0...4096) ?? rank
    alpha = try own("alpha")?.number(0...1) ?? alpha
    rounds = try own("rounds")?.integer(1...1000) ?? rounds
    samples = try own("samples")?.integer(1...1000) ?? samples
    temperature = try own("temperature")?.number(0...10) ?? temperature
    maxTokens = try own("max_tokens")?.integer(1...1_000_000) ?? maxTokens
    start = try node.optional("start")?.string
    if let member = node.optional("policy") { try PolicySettings.check(member, of: method) }
    for (key, value) in try node.optional("policy")?.members ?? [] {
      if let number = value.value.number {
        policy[key] = .number(number)
      } else if let flag = value.value.bool {
        policy[key] = .flag(flag)
      } else {
        policy[key] = .word(try value.string)
      }
    }
  }
}

extension EvaluationSettings {
  init(_ node: JSONNode) throws {
    try node.check(["splits", "limit", "max_tokens", "calculator", "damage", "damage_limit"])
    splits = try node.optional("splits")?.texts ?? splits
    limit = try node.optional("limit")?.integer(1...Int.max)
    maxTokens = try node.optional("max_tokens")?.integer(1...1_000_000) ?? maxTokens
    usesCalculator = try node.optional("calculator")?.bool ?? usesCalculator
    damage = try node.optional("damage")?.texts ?? damage
    damageLimit = try node.optional("damage_limit")?.integer(0...Int.max) ?? damageLimit
  }
}

extension JSONNode {
  /// A list of texts.
  var texts: [String] { get throws { try elements.map { try $0.string } } }

  /// One of the words of a type.
  func word<Word: RawRepresentable & CaseIterable>(of type: Word.Type) throws -> Word where Word.RawValue == String {
    let words = Word.allCases.map(\.rawValue)
    let text = try word(words)
    guard let word = Word(rawValue: text) else {
      throw failure("`\(name)` must be one of \(words.joined(separator: ", "))")
    }
    return word
  }
}
