// Reads the parts of a tokenizer.json. A part or setting that is not done is refused by its name, for a tokenizer that
// is nearly right makes a model quietly worse.

extension TextNormalizer {
  init(_ value: OrderedJSON?, file: String) throws {
    guard let value, !value.isNull else {
      self.init([])
      return
    }
    self.init(try Self.steps(TokenizerPart(value, kind: "normalizer", file: file), depth: 0))
  }

  private static func steps(_ part: TokenizerPart, depth: Int) throws -> [Step] {
    switch part.type {
    case "Sequence":
      return try part.sequence("normalizers", depth: depth).flatMap { try steps($0, depth: depth + 1) }
    case "Lowercase", "StripAccents", "Nmt", "ByteLevel":
      try part.allow()
      return [
        part.type == "Lowercase"
          ? .lowercase : part.type == "Nmt" ? .nmt : part.type == "ByteLevel" ? .printBytes : .stripAccents
      ]
    case "Replace":
      try part.allow("pattern", "content")
      return [.replace(try part.pattern(), try part.scalars("content"))]
    case "Strip":
      try part.allow("strip_left", "strip_right")
      return [.strip(left: try part.bool("strip_left"), right: try part.bool("strip_right"))]
    case "Prepend":
      try part.allow("prepend")
      return [.prepend(try part.scalars("prepend"))]
    default:
      guard let form = Form(rawValue: part.type) else { throw part.unknown }
      try part.allow()
      return [.unicode(form)]
    }
  }
}

extension PreTokenizer {
  init(_ value: OrderedJSON?, file: String) throws {
    guard let value, !value.isNull else {
      self.init([])
      return
    }
    self.init(try Self.steps(TokenizerPart(value, kind: "pre-tokenizer", file: file), depth: 0))
  }

  /// GPT-2's steps, which the part ByteLevel stands for.
  static func byteLevel(prefixesSpace: Bool = false, splits: Bool = true) -> [Step] {
    (prefixesSpace ? [.prefixSpace] : []) + (splits ? [.split(.words(.gpt2), .isolated, inverted: false)] : [])
      + [.printBytes]
  }

  private static func steps(_ part: TokenizerPart, depth: Int) throws -> [Step] {
    switch part.type {
    case "Sequence":
      return try part.sequence("pretokenizers", depth: depth).flatMap { try steps($0, depth: depth + 1) }
    case "ByteLevel":
      try part.allow("add_prefix_space", "trim_offsets", "use_regex")
      return byteLevel(
        prefixesSpace: try part.bool("add_prefix_space"), splits: try part.bool("use_regex", default: true))
    case "Split":
      try part.allow("pattern", "behavior", "invert")
      return [.split(try part.pattern(), try part.behavior(), inverted: try part.bool("invert"))]
    case "Digits":
      try part.allow("individual_digits")
      let behavior: SplitBehavior = try part.bool("individual_digits") ? .isolated : .contiguous
      return [.split(.scalars(.number), behavior, inverted: false)]
    case "Punctuation":
      try part.allow("behavior")
      return [.split(.scalars(.punctuation), try part.behavior(default: .isolated), inverted: false)]
    case "Whitespace":
      try part.allow()
      return [.split(.wordsAndSymbols, .removed, inverted: true)]
    case "WhitespaceSplit":
      try part.allow()
      return [.split(.scalars(.whiteSpace), .removed, inverted: false)]
    case "BertPreTokenizer":
      try part.allow()
      return [
        .split(.scalars(.whiteSpace), .removed, inverted: false),
        .split(.scalars(.punctuation), .isolated, inverted: false),
      ]
    case "CharDelimiterSplit", "Delimiter":
      try part.allow("delimiter")
      return [.split(.literal([try part.scalar("delimiter")]), .removed, inverted: false)]
    case "FixedLength":
      try part.allow("length")
      let length = try part.count("length")
      guard length > 0 else { throw part.fail("has a length of 0") }
      return [.fixedLength(length)]
    case "Metaspace":
      let (replacement, prefix) = try metaspace(part)
      let splits = try part.bool("split", default: true)
      return [.metaspace(replacement: replacement, prefix: prefix)]
        + (splits ? [.split(.literal([replacement]), .mergedWithNext, inverted: false)] : [])
    default: throw part.unknown
    }
  }

  /// The settings of a pre-tokenizer or decoder Metaspace.
  static func metaspace(_ part: TokenizerPart) throws -> (replacement: Unicode.Scalar, prefix: MetaspacePrefix) {
    try part.allow("replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep")
    let scheme = try part["prepend_scheme"].map { _ in try part.text("prepend_scheme") }
    let prefixes = try part.bool("add_prefix_space", default: true)
    guard let prefix = scheme.map(MetaspacePrefix.init(rawValue:)) ?? (prefixes ? .always : .never) else {
      throw part.fail("has an unknown prepend_scheme \(scheme ?? "")")
    }
    guard prefixes || prefix == .never else {
      throw part.fail("has contradictory settings for the space before a text")
    }
    return (try part.scalar("replacement"), prefix)
  }
}

extension TokenDecoder {
  init(_ value: OrderedJSON?, file: String) throws {
    guard let value, !value.isNull else {
      self.init([.joinWithSpaces])
      return
    }
    self.init(try Self.steps(TokenizerPart(value, kind: "decoder", file: file), depth: 0))
  }

  private static func steps(_ part: TokenizerPart, depth: Int) throws -> [Step] {
    switch part.type {
    case "Sequence":
      return try part.sequence("decoders", depth: depth).flatMap { try steps($0, depth: depth + 1) }
    case "ByteLevel":
      try part.allow("add_prefix_space", "trim_offsets", "use_regex")
      return [.printedBytes]
    case "Fuse":
      try part.allow()
      return [.fuse]
    case "ByteFallback":
      try part.allow()
      return [.byteFallback]
    case "Replace":
      try part.allow("pattern", "content")
      return [.replace(try part.pattern(), try part.scalars("content"))]
    case "Strip":
      try part.allow("content", "start", "stop")
      return [.strip(try part.scalar("content"), start: try part.count("start"), stop: try part.count("stop"))]
    case "Metaspace":
      let (replacement, prefix) = try PreTokenizer.metaspace(part)
      return [.metaspace(replacement: replacement, prefixes: prefix != .never)]
    case "BPEDecoder":
      try part.allow("suffix")
      return [.wordEnd(suffix: try part.scalars("suffix"))]
    default: throw part.unknown
    }
  }
}

/// What a post-processor puts around a text. Martlet puts the token in front where a model is asked, never the one
/// behind: an answer follows a prompt.
struct PostProcessor {
  private(set) var beginOfText: Int?

  init(_ value: OrderedJSON?, file: String) throws {
    guard let value, !value.isNull else { return }
    try read(TokenizerPart(value, kind: "post-processor", file: file), depth: 0)
  }

  private mutating func read(_ part: TokenizerPart, depth: Int) throws {
    switch part.type {
    case "Sequence":
      for part in try part.sequence("processors", depth: depth) { try read(part, depth: depth + 1) }
    case "ByteLevel": try part.allow("add_prefix_space", "trim_offsets", "use_regex")
    case "RobertaProcessing", "BertProcessing":
      try part.allow("sep", "cls", "trim_offsets", "add_prefix_space")
      guard let pair = part["cls"]?.array, pair.count == 2, let id = pair[1].integer else {
        throw part.fail("has a cls that is not a pair of text and id")
      }
      try begin([id], part)
    case "TemplateProcessing":
      try part.allow("single", "pair", "special_tokens")
      guard let single = part["single"]?.array, let place = single.firstIndex(where: { $0["Sequence"] != nil }) else {
        throw part.fail("has no place for the text")
      }
      try begin(
        single[..<place].flatMap { item -> [Int] in
          guard let name = item["SpecialToken"]?["id"]?.text, let ids = part["special_tokens"]?[name]?["ids"]?.array
          else { throw part.fail("names a token that it does not list") }
          return ids.map { $0.integer ?? -1 }
        }, part)
    default: throw part.unknown
    }
  }

  private mutating func begin(_ ids: [Int], _ part: TokenizerPart) throws {
    guard let id = ids.first else { return }
    guard ids.count == 1, beginOfText == nil else {
      throw part.fail("puts more than one token in front of a text, which Martlet does not support")
    }
    beginOfText = id
  }
}
