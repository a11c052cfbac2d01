import MartletEngine

/// The settings that chat and plain completions share.
struct AnswerSettings {
  var sampling: Sampling
  /// nil where the request names no limit; `Int.max` where it asks for none.
  var maxTokens: Int?
  var minTokens = 0
  var choices = 1
  var stops: [String] = []
  var stopTokens: Set<Int> = []
  var streams = false
  var includesUsage = false
  var ignoresEnd = false
  /// Whether the values of expressions are computed; nil where the request leaves it to the server.
  var calculates: Bool?
  var format: AnswerFormat?

  /// More than clients need; each one is looked for in every piece of text.
  static let mostStops = 16
  static let longestStop = 1_000
  static let mostStopTokens = 128

  init(_ fields: FieldReader, defaults: Sampling, mostChoices: Int, vocabularySize: Int) throws {
    _ = try fields.string("model")
    _ = try fields.string("user")
    sampling = try Self.sampling(fields, defaults: defaults, vocabularySize: vocabularySize)
    maxTokens = try Self.maxTokens(fields)
    minTokens = try fields.integer("min_tokens", in: 0...Int.max) ?? 0
    if let maxTokens, minTokens > maxTokens {
      throw fields.refuse("min_tokens", "is \(minTokens) and must be at most `max_tokens`, which is \(maxTokens)")
    }
    choices = try fields.integer("n", in: 1...mostChoices) ?? 1
    stops = try Self.stops(fields)
    for item in try fields.array("stop_token_ids") ?? [] {
      guard let token = item.integer, (0..<vocabularySize).contains(token) else {
        throw fields.refuse(
          "stop_token_ids",
          "has the entry \(item.text.prefix(40)), which is not a token id from 0 to \(vocabularySize - 1)")
      }
      stopTokens.insert(token)
    }
    guard stopTokens.count <= Self.mostStopTokens else {
      throw fields.refuse("stop_token_ids", "has more than \(Self.mostStopTokens) entries")
    }
    streams = try fields.bool("stream") ?? false
    if let options = try fields.object("stream_options") {
      includesUsage = try options.bool("include_usage") ?? false
      if try options.bool("continuous_usage_stats") == true {
        throw APIError.notSupported(
          "`stream_options.continuous_usage_stats` is not supported here; use `include_usage`",
          parameter: "stream_options")
      }
      guard streams || !includesUsage else {
        throw APIError.invalid("`stream_options` needs `stream` to be true", parameter: "stream_options")
      }
    }
    ignoresEnd = try fields.bool("ignore_eos") ?? false
    calculates = try fields.bool("calculator")
    format = try AnswerFormat(fields)
  }

  /// Several names mean the same, and all must be kept to; -1 asks for no limit.
  private static func maxTokens(_ fields: FieldReader) throws -> Int? {
    var limits: [Int] = []
    for name in ["max_tokens", "max_completion_tokens", "n_predict"] {
      if let limit = try fields.integer(name, in: -1...Int.max) { limits.append(limit < 0 ? .max : limit) }
    }
    return limits.min()
  }

  private static func sampling(
    _ fields: FieldReader, defaults: Sampling, vocabularySize: Int
  ) throws -> Sampling {
    var sampling = defaults
    if let value = try fields.number("temperature", in: 0...2) { sampling.temperature = value }
    if let value = try fields.integer("top_k", in: -1...1_000_000) { sampling.topK = max(0, value) }
    if let value = try fields.number("top_p", in: 0...1) {
      // OpenAI takes 0 for "the likeliest token only".
      if value == 0 { sampling.topK = 1 } else { sampling.topP = value }
    }
    if let value = try fields.number("min_p", in: 0...1) { sampling.minP = value }
    if let value = try fields.number("typical_p", in: 1e-6...1) { sampling.typicalP = value }
    for name in ["repetition_penalty", "repeat_penalty"] {
      if let value = try fields.number(name, in: 0.01...100) { sampling.repetitionPenalty = value }
    }
    if let value = try fields.number("presence_penalty", in: -2...2) { sampling.presencePenalty = value }
    if let value = try fields.number("frequency_penalty", in: -2...2) { sampling.frequencyPenalty = value }
    if let value = try fields.number("penalty_decay", in: 0...1) { sampling.penaltyDecay = value }
    for name in ["repeat_last_n", "penalty_last_n"] {
      guard let count = try fields.integer(name, in: -1...Int.max), count >= 0 else { continue }
      let hasPenalty =
        sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0
      if hasPenalty {
        throw APIError.notSupported(
          "`\(name)` is not supported here: penalties apply to the whole answer; send -1, or let them decay with `penalty_decay`",
          parameter: name)
      }
    }
    sampling.seed =
      try fields.integer("seed", in: .min...(.max)).map { UInt64(bitPattern: Int64($0)) }
      ?? UInt64.random(in: 0...UInt64.max)
    if let biases = try fields.object("logit_bias") {
      guard biases.object.members.count <= 1024 else { throw fields.refuse("logit_bias", "has more than 1024 entries") }
      for member in biases.object.members where !member.value.isNull {
        guard let token = Int(member.key), (0..<vocabularySize).contains(token) else {
          throw fields.refuse(
            "logit_bias", "has the token `\(member.key.prefix(40))`; ids run from 0 to \(vocabularySize - 1)")
        }
        guard let bias = member.value.number, (-100...100).contains(bias) else {
          throw fields.refuse("logit_bias", "of token \(token) must be from -100 to 100")
        }
        // -100 and 100 mean never and always: more than logits can outweigh, but not so much that their order is lost.
        sampling.logitBias[token] = bias <= -100 ? -10_000 : bias >= 100 ? 10_000 : Float(bias)
      }
    }
    return sampling
  }

  private static func stops(_ fields: FieldReader) throws -> [String] {
    guard let value = fields.value("stop") else { return [] }
    let list = value.array ?? [value]
    let stops = list.compactMap(\.string)
    guard stops.count == list.count else { throw fields.refuse("stop", "must be a string or an array of strings") }
    guard stops.count <= mostStops, stops.allSatisfy({ $0.utf8.count <= longestStop }) else {
      throw fields.refuse(
        "stop", "has \(stops.count) strings; at most \(mostStops) of at most \(longestStop) bytes are taken")
    }
    return stops.filter { !$0.isEmpty }
  }
}
