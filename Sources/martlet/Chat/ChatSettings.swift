import MartletData
import MartletEngine
import MartletModels

/// How answers are made, and what `/set` changes of it.
struct ChatSettings {
  var sampling: Sampling
  var maxTokens: Int
  /// Answers so far; each draws other numbers, so that a second try is another one.
  private var answers: UInt64 = 0

  init(_ sampling: Sampling, maxTokens: Int) {
    self.sampling = sampling
    self.maxTokens = maxTokens
  }

  /// The sampling of the next answer.
  mutating func next() -> Sampling {
    defer { answers &+= 1 }
    var next = sampling
    next.seed = sampling.seed &+ answers
    return next
  }

  /// Every setting as it stands.
  var list: [(name: String, value: String)] {
    Self.numbers.map { ($0.name, "\(sampling[keyPath: $0.path])") }
      + [("top_k", "\(sampling.topK)"), ("max_tokens", "\(maxTokens)"), ("seed", "\(sampling.seed)")]
  }

  private static var numbers: [(name: String, path: WritableKeyPath<Sampling, Float>)] {
    [
      ("temperature", \.temperature), ("top_p", \.topP), ("min_p", \.minP), ("typical_p", \.typicalP),
      ("repetition_penalty", \.repetitionPenalty), ("presence_penalty", \.presencePenalty),
      ("frequency_penalty", \.frequencyPenalty), ("penalty_decay", \.penaltyDecay),
    ]
  }

  /// - Throws: ``LineError`` or ``EngineError`` saying what is wrong; nothing is changed then.
  mutating func set(_ name: String, to text: String) throws {
    let name = name.lowercased().replacing("-", with: "_")
    var changed = self
    if let number = Self.numbers.first(where: { $0.name == name || $0.name.hasPrefix(name) && name == "temp" }) {
      guard let value = Float(text) else {
        throw LineError("\(number.name) must be a number, but \"\(text)\" is not one")
      }
      changed.sampling[keyPath: number.path] = value
    } else if name == "top_k" {
      guard let value = Int(text) else { throw LineError("top_k must be a whole number, but \"\(text)\" is not one") }
      changed.sampling.topK = value
    } else if name == "max_tokens" {
      guard let value = TokenLimit(argument: text) else { throw LineError("max_tokens must be \(TokenLimit.rule)") }
      changed.maxTokens = value.count
    } else if name == "seed" {
      guard let value = Seed(argument: text) else { throw LineError("seed must be \(Seed.rule)") }
      changed.sampling.seed = value.number
      changed.answers = 0
    } else {
      let question = NearestNames.question(name, among: list.map(\.name))
      throw LineError("there is no setting \(name)" + (question.isEmpty ? ";" : question) + " /set shows all settings")
    }
    try changed.sampling.validate()
    self = changed
  }
}
