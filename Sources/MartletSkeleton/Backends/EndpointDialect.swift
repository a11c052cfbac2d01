/// What an endpoint has been found to take. It begins with what OpenAI's reference says; what an endpoint refuses is left
/// out or said otherwise, one thing after the other, until it answers.
struct EndpointDialect: Sendable, Equatable {
  /// Things that endpoints differ in, in the order in which they are given up.
  enum Trait: CaseIterable, Sendable {
    /// `stream_options`, which asks for counts of tokens.
    case usageOption
    /// `max_tokens`, which newer models know as `max_completion_tokens`.
    case limit
    /// `temperature` and `top_p`.
    case sampling
    /// A last message of the assistant, which the model goes on with.
    case beginning
    case stream
  }

  /// What is given up.
  private(set) var without: Set<Trait> = []
  /// What an answer has shown to be taken.
  private(set) var proven: Set<Trait> = []

  func has(_ trait: Trait) -> Bool { !without.contains(trait) }

  init(sendsBeginnings: Bool) { if !sendsBeginnings { without.insert(.beginning) } }

  /// Notes that a request was answered.
  mutating func succeeded(with traits: Set<Trait>) { proven.formUnion(traits) }

  mutating func give(up trait: Trait) { without.insert(trait) }

  /// A simpler way to say a request that was refused; nil where the refusal is about the request itself.
  /// - Parameters:
  ///   - traits: what the request made use of.
  ///   - message: what the endpoint said.
  func simpler(_ traits: Set<Trait>, after message: String) -> EndpointDialect? {
    let message = message.lowercased()
    let suspects = Trait.allCases.filter { traits.contains($0) && !proven.contains($0) }
    let named = suspects.first { $0.words.contains(where: message.contains) }
    // A request that is too long stays too long.
    let isAboutLength = ["too long", "context length", "context window", "context size", "maximum context"]
      .contains(where: message.contains)
    guard let trait = named ?? (isAboutLength ? nil : suspects.first) else { return nil }
    var simpler = self
    simpler.without.insert(trait)
    return simpler
  }
}

extension EndpointDialect.Trait {
  /// Words by which refusals name it.
  fileprivate var words: [String] {
    switch self {
    case .usageOption: ["stream_options", "include_usage"]
    case .limit: ["max_tokens", "max_completion_tokens"]
    case .sampling: ["temperature", "top_p"]
    case .beginning: ["assistant", "prefill", "last message", "final message", "alternat", "last role", "role"]
    case .stream: ["stream"]
    }
  }
}
