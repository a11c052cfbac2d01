/// Turns text into token ids and back. Works on bytes: text that is not UTF-8 is the caller's business.
public protocol Tokenizer: Sendable {
  /// Ids run from 0 to below this number.
  var vocabularySize: Int { get }
  /// Name for people: `rwkv-world`, `bpe`, `sentencepiece`, `bytes`.
  var name: String { get }
  /// Token that a text starts with, where the model wants one.
  var beginOfText: Int? { get }
  /// Tokens that end an answer.
  var endOfText: Set<Int> { get }

  /// Ids of `text`. With `special`, the names of control tokens inside the text become those tokens; without,
  /// they are plain text. Nothing is added in front.
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int]
  /// Ids of `text` as plain text, in which added tokens whose names are `barred` are plain text too.
  func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int]
  /// Bytes of one token; empty for control tokens and unknown ids.
  func bytes(of token: Int) -> [UInt8]
  /// Text of `tokens`.
  func decode(_ tokens: [Int]) -> [UInt8]
  /// Id of a token by its name, e.g. `<|im_end|>`.
  func token(named name: String) -> Int?
}

extension Tokenizer {
  /// The tokens of a text.
  public func encode(_ text: String, special: Bool = true) -> [Int] { encode(Array(text.utf8), special: special) }
  public func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int] {
    encode(text, special: false)
  }
  public func decode(_ tokens: [Int]) -> [UInt8] { tokens.flatMap(bytes(of:)) }
  public func token(named name: String) -> Int? { nil }
  public var beginOfText: Int? { nil }
}

/// One token a byte (vocabulary 256). Byte 0, which no text holds, ends a text, as token 0 does in RWKV's World.
public struct ByteTokenizer: Tokenizer {
  /// The one there is.
  public init() {}
  public var vocabularySize: Int { 256 }
  public var name: String { "bytes" }
  public var endOfText: Set<Int> { [0] }
  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map(Int.init) }
  public func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
}
