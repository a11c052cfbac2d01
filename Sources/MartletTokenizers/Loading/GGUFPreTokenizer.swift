import MartletData

/// How a GGUF file's text is cut into pieces: the file only names it (`tokenizer.ggml.pre`), and the regular expressions
/// behind the names are those that llama.cpp publishes, in the tokenizer.json's own form where llama.cpp had to adapt one.
struct GGUFPreTokenizer {
  let preTokenizer: PreTokenizer
  /// A piece that is a token is never split.
  private(set) var ignoresMerges = false
  /// A text begins with the token for it where the file says nothing.
  private(set) var addsBeginOfText = false
  /// The model has no begin-of-text token, even if the file specifies one.
  private(set) var neverBegins = false
  private(set) var normalizer = TextNormalizer([])
  /// The parts of a tokenizer.json's pre-tokenizer that cut as this one does, in the form that the models' own files
  /// have where there is one.
  let hubParts: [JSONValue]

  /// - Returns: nil for a name that is not known.
  /// - Throws: ``RegularExpressionError``, which tests rule out.
  init?(named name: String) throws {
    guard let kind = Self.kinds.first(where: { $0.names.contains(name) }) else { return nil }
    preTokenizer = PreTokenizer(
      try kind.expressions.map { expression in
        let pattern = expression == Self.digit ? .scalars(.number) : try SplitPattern(expression: expression)
        return .split(pattern, .isolated, inverted: false)
      } + [.printBytes])
    hubParts =
      kind.expressions.map { expression in
        expression == Self.digit
          ? ["type": "Digits", "individual_digits": true]
          : ["type": "Split", "pattern": ["Regex": .string(expression)], "behavior": "Isolated", "invert": false]
      } + [["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false]]
    switch name {
    case "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
      "tekken":
      (ignoresMerges, addsBeginOfText) = (true, true)
    case "minicpm5", "youtu", "glm5", "glm4": ignoresMerges = true
    case "chameleon": addsBeginOfText = true
    case "qwen2", "qwen35", "deepseek-r1-qwen", "megrez": normalizer = TextNormalizer([.unicode(.nfc)])
    default: break
    }
    neverBegins = ["chatglm-bpe", "glm4", "glm5"].contains(name)
  }

  /// The name that stands for the same pieces of the same text; nil where none does.
  static func name(of preTokenizer: PreTokenizer, ignoresMerges: Bool, normalizer: TextNormalizer) -> String? {
    // Some files say Split where others say Digits.
    let steps = preTokenizer.steps.map { step -> PreTokenizer.Step in
      guard case .split(.expression(let expression), .isolated, _) = step, expression.pattern == digit else {
        return step
      }
      return .split(.scalars(.number), .isolated, inverted: false)
    }
    for kind in kinds {
      let candidates = kind.names.lazy.compactMap { name in (try? GGUFPreTokenizer(named: name)).map { (name, $0) } }
      guard let known = candidates.first?.1, known.preTokenizer.steps == steps else { continue }
      let fitting = candidates.first { _, known in
        !known.neverBegins && known.ignoresMerges == ignoresMerges && known.normalizer.steps == normalizer.steps
      }
      if let fitting { return fitting.0 }
    }
    return nil
  }

  /// What a tokenizer.json calls Digits, each a piece of its own.
  private static let digit = #"\p{N}"#
}
