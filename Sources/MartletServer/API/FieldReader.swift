import MartletEngine

/// Reads the fields of a request; a wrong type or range is an answer that names the field. null counts as absent.
struct FieldReader {
  let object: JSONObject

  init(_ object: JSONObject) { self.object = object }

  func value(_ name: String) -> JSONValue? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  func has(_ name: String) -> Bool { value(name) != nil }

  private func wrong(_ name: String, _ wanted: String, _ value: JSONValue) -> APIError {
    .invalid("`\(name)` must be \(wanted), not \(value.kind)", parameter: name)
  }

  func string(_ name: String) throws -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else { throw wrong(name, "a string", value) }
    return string
  }

  func bool(_ name: String) throws -> Bool? {
    guard let value = value(name) else { return nil }
    guard let bool = value.bool else { throw wrong(name, "a boolean", value) }
    return bool
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer else { throw wrong(name, "a whole number", value) }
    guard range.contains(integer) else {
      let wanted =
        range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw APIError.invalid("`\(name)` is \(integer) and must be \(wanted)", parameter: name)
    }
    return integer
  }

  func number(_ name: String, in range: ClosedRange<Double>) throws -> Float? {
    guard let value = value(name) else { return nil }
    guard let number = value.number else { throw wrong(name, "a number", value) }
    guard range.contains(number) else {
      throw APIError.invalid(
        "`\(name)` is \(number) and must be from \(range.lowerBound) to \(range.upperBound)", parameter: name)
    }
    return Float(number)
  }

  func object(_ name: String) throws -> FieldReader? {
    guard let value = value(name) else { return nil }
    guard let object = value.object else { throw wrong(name, "an object", value) }
    return FieldReader(object)
  }

  func array(_ name: String) throws -> [JSONValue]? {
    guard let value = value(name) else { return nil }
    guard let array = value.array else { throw wrong(name, "an array", value) }
    return array
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, of type: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = try string(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw APIError.invalid("`\(name)` is `\(text.prefix(100))` and must be one of \(known)", parameter: name)
    }
    return choice
  }
}

/// The settings that chat and plain completions share.
struct AnswerSettings {
  var sampling: Sampling
  var maxTokens: Int?
  var choices = 1
  var stops: [String] = []
  var streams = false
  var includesUsage = false
  var ignoresEnd = false

  /// More than clients need; each one is looked for in every piece of text.
  static let mostStops = 16
  static let longestStop = 1_000

  init(
    _ fields: FieldReader, defaults: Sampling, mostChoices: Int, vocabularySize: Int, leastTokens: Int = 1
  ) throws {
    sampling = defaults
    if let value = try fields.number("temperature", in: 0...2) { sampling.temperature = value }
    if let value = try fields.number("top_p", in: 0...1) {
      // OpenAI takes 0 for "the likeliest token only".
      if value == 0 { sampling.topK = 1 } else { sampling.topP = value }
    }
    if let value = try fields.integer("top_k", in: -1...1_000_000) { sampling.topK = max(0, value) }
    if let value = try fields.number("min_p", in: 0...1) { sampling.minP = value }
    if let value = try fields.number("typical_p", in: 1e-6...1) { sampling.typicalP = value }
    for name in ["repetition_penalty", "repeat_penalty"] {
      if let value = try fields.number(name, in: 0.01...100) { sampling.repetitionPenalty = value }
    }
    if let value = try fields.number("presence_penalty", in: -2...2) { sampling.presencePenalty = value }
    if let value = try fields.number("frequency_penalty", in: -2...2) { sampling.frequencyPenalty = value }
    sampling.seed =
      try fields.integer("seed", in: .min...(.max)).map { UInt64(bitPattern: Int64($0)) }
      ?? UInt64.random(in: 0...UInt64.max)
    if let biases = try fields.object("logit_bias") {
      guard biases.object.members.count <= 1024 else {
        throw APIError.invalid("`logit_bias` has more than 1024 entries", parameter: "logit_bias")
      }
      for member in biases.object.members {
        guard let token = Int(member.key), (0..<vocabularySize).contains(token) else {
          throw APIError.invalid(
            "`logit_bias` names the token `\(member.key.prefix(40))`; ids run from 0 to \(vocabularySize - 1)",
            parameter: "logit_bias")
        }
        guard let bias = member.value.number, (-100...100).contains(bias) else {
          throw APIError.invalid("`logit_bias` of token \(token) must be from -100 to 100", parameter: "logit_bias")
        }
        // -100 and 100 mean never and always: more than logits can outweigh, but not so much that their order is lost.
        sampling.logitBias[token] = bias <= -100 ? -10_000 : bias >= 100 ? 10_000 : Float(bias)
      }
    }
    // Both names mean the same, and both must be kept to.
    maxTokens = try fields.integer("max_tokens", in: leastTokens...Int.max)
    if let value = try fields.integer("max_completion_tokens", in: leastTokens...Int.max) {
      maxTokens = min(value, maxTokens ?? .max)
    }
    choices = try fields.integer("n", in: 1...mostChoices) ?? 1
    stops = try Self.stops(fields)
    streams = try fields.bool("stream") ?? false
    if let options = try fields.object("stream_options") {
      guard streams else {
        throw APIError.invalid("`stream_options` needs `stream` to be true", parameter: "stream_options")
      }
      includesUsage = try options.bool("include_usage") ?? false
    }
    ignoresEnd = try fields.bool("ignore_eos") ?? false
    for ignored in ["user", "service_tier", "reasoning_effort", "verbosity", "prompt_cache_key", "safety_identifier"] {
      _ = try fields.string(ignored)
    }
  }

  private static func stops(_ fields: FieldReader) throws -> [String] {
    guard let value = fields.value("stop") else { return [] }
    let list = value.array ?? [value]
    let stops = list.compactMap(\.string)
    guard stops.count == list.count else {
      throw APIError.invalid("`stop` must be a string or an array of strings", parameter: "stop")
    }
    guard stops.count <= mostStops, stops.allSatisfy({ $0.utf8.count <= longestStop }) else {
      throw APIError.invalid(
        "`stop` has \(stops.count) strings; at most \(mostStops) of at most \(longestStop) bytes are taken",
        parameter: "stop")
    }
    return stops.filter { !$0.isEmpty }
  }
}
