import MartletData
import MartletOptimization
import MartletTraining

extension PolicySettings {
  /// What a setting of an arm may be.
  private enum Kind {
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case flag
    case word([String])
  }

  /// The settings of a recipe's `policy`, with the methods that they are of.
  private static let known: [(key: String, methods: [Method], kind: Kind)] = [
    ("questions", Method.allCases, .integer(1...65_536)), ("updates", Method.allCases, .integer(1...1000)),
    ("schedule", Method.allCases, .word(LearningRateSchedule.Shape.allCases.map(\.rawValue))),
    ("warmup", Method.allCases, .integer(0...1_000_000)), ("clip", Method.allCases, .number(0...1e6)),
    ("normalization", [.grpo], .word(GroupRelativeObjective.Normalization.allCases.map(\.rawValue))),
    ("divide_by_deviation", [.grpo], .flag), ("clip_low", [.grpo], .number(0...1)),
    ("clip_high", [.grpo], .number(0...1000)), ("kl_weight", [.grpo], .number(0...1000)),
    ("form_reward", [.grpo], .number(0...1)), ("beta", [.dpo, .gkd], .number(0...1000)),
    ("label_smoothing", [.dpo], .number(0...0.499)), ("own_share", [.gkd], .number(0...1)),
  ]

  /// Refuses settings that the method does not have, with the place of each.
  /// - Parameters:
  ///   - node: the object `policy` of an arm.
  ///   - method: the arm's method.
  static func check(_ node: JSONNode, of method: ArmSettings.Method) throws {
    guard let method = Method(rawValue: method.rawValue) else {
      throw node.failure("`\(node.name)` is of dpo, grpo and gkd alone, and the method is \(method.rawValue)")
    }
    let own = known.filter { $0.methods.contains(method) }
    try node.check(own.map(\.key))
    for (key, _, kind) in own {
      guard let member = node.optional(key) else { continue }
      switch kind {
      case .number(let range): _ = try member.number(range)
      case .integer(let range): _ = try member.integer(range)
      case .flag: _ = try member.bool
      case .word(let words): _ = try member.word(words)
      }
      if key == "beta", method == .gkd { _ = try member.number(0...1) }
    }
  }

  /// The settings of an arm of a recipe. There are as many steps as the arm says (100 where it says nothing), or fewer where answers of
  /// the largest length would pass its largest number of tokens.
  /// - Parameters:
  ///   - arm: an arm whose method is dpo, grpo or gkd.
  ///   - seed: the seed of the run.
  /// - Throws: ``TeachingError`` where the method is another one.
  public init(_ arm: ArmSettings, seed: Int) throws {
    guard let method = Method(rawValue: arm.method.rawValue) else {
      throw TeachingError("\(arm.method.rawValue) does not train on the student's own answers; choose dpo, grpo or gkd")
    }
    func number(_ key: String) -> Double? { if case .number(let value) = arm.policy[key] { value } else { nil } }
    func word(_ key: String) -> String? { if case .word(let value) = arm.policy[key] { value } else { nil } }
    let clip = number("clip") ?? 1
    let questions = number("questions").map { Int($0) } ?? 8, samples = method == .gkd ? 1 : arm.samples
    var steps = arm.steps ?? 100
    if let most = arm.maximumTokens { steps = max(1, min(steps, most / (questions * samples * arm.maxTokens))) }
    self.init(
      method: method,
      optimizer: OptimizerSettings(
        method: .adamw, learningRate: arm.learningRate ?? (method == .gkd ? 1e-4 : 5e-5), beta1: 0.9, beta2: 0.99,
        clip: clip > 0 ? clip : nil),
      schedule: LearningRateSchedule(
        shape: word("schedule").flatMap { LearningRateSchedule.Shape(rawValue: $0) } ?? .constant,
        warmup: min(Int(number("warmup") ?? 0), steps), final: 0.1, steps: steps),
      steps: steps)
    self.questions = questions
    self.samples = samples
    temperature = arm.temperature
    maxTokens = arm.maxTokens
    updates = number("updates").map { Int($0) } ?? updates
    groupRelative.clipLow = number("clip_low") ?? groupRelative.clipLow
    groupRelative.clipHigh = number("clip_high") ?? groupRelative.clipHigh
    groupRelative.klWeight = number("kl_weight") ?? groupRelative.klWeight
    groupRelative.normalization =
      word("normalization").flatMap { GroupRelativeObjective.Normalization(rawValue: $0) } ?? .token
    if case .flag(let divides) = arm.policy["divide_by_deviation"] { groupRelative.dividesByDeviation = divides }
    formReward = number("form_reward") ?? formReward
    if method == .dpo { preference.beta = number("beta") ?? preference.beta }
    preference.labelSmoothing = number("label_smoothing") ?? preference.labelSmoothing
    if method == .gkd { distillation.beta = number("beta") ?? distillation.beta }
    ownShare = number("own_share") ?? ownShare
    self.seed = UInt64(bitPattern: Int64(seed))
  }
}
