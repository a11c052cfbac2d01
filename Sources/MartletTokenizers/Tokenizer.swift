/// Converts text to token ids and back. It works on bytes; they do not have to be valid UTF-8.
public protocol Tokenizer: Sendable {
  /// The number of token ids, which start at 0.
  var vocabularySize: Int { get }
  /// The name to show: `rwkv-world`, `bpe`, `sentencepiece`, `bytes`.
  var name: String { get }
  /// The token at the beginning of a text, if the model uses one.
  var beginOfText: Int? { get }
  /// The tokens that end an answer.
  var endOfText: Set<Int> { get }
  /// The token that stands in place of a context where a text without one is scored: the one that begins texts, even if it
  /// is not added to them, else one that ends them. nil if the tokenizer has neither.
  var prefixToken: Int? { get }

  /// The ids of a text. With `special`, names of control tokens inside the text become those tokens; otherwise they are
  /// plain text. No token is added at the beginning.
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int]
  /// The ids of a text without control tokens. Added tokens whose names are in `barred` are treated as plain text as
  /// well.
  func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int]
  /// The bytes of one token; empty for control tokens and unknown ids.
  func bytes(of token: Int) -> [UInt8]
  /// The bytes of a sequence of tokens.
  func decode(_ tokens: [Int]) -> [UInt8]
  /// The id of the token with a name, e.g. `<|im_end|>`; nil if there is none.
  func token(named name: String) -> Int?
  /// The name of a control token, by which ``token(named:)`` finds it; nil for a token that is text.
  func name(of token: Int) -> String?
}

extension Tokenizer {
  /// The tokens of a text.
  public func encode(_ text: String, special: Bool = true) -> [Int] { encode(Array(text.utf8), special: special) }
  public func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int] {
    encode(text, special: false)
  }
  public func decode(_ tokens: [Int]) -> [UInt8] { tokens.flatMap(bytes(of:)) }
  public func token(named name: String) -> Int? { nil }
  public func name(of token: Int) -> String? { nil }
  public var beginOfText: Int? { nil }
  public var prefixToken: Int? { beginOfText ?? endOfText.min() }
}

/// A tokenizer with one token for each byte (vocabulary size 256). Byte 0, which does not occur in text, is the end
/// token, as token 0 is in RWKV World.
public struct ByteTokenizer: Tokenizer {
  /// The tokenizer, which has no settings.
  public init() {}
  public var vocabularySize: Int { 256 }
  public var name: String { "bytes" }
  public var endOfText: Set<Int> { [0] }
  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map(Int.init) }
  public func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
}
