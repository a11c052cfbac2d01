import MartletEngine
import MartletTokenizers

/// Pairs generated tokens with the text that has gone out, so that the tokens' texts joined are that text.
///
/// A token whose bytes end inside a character has an empty text; the token that completes the character has it whole.
struct TokenLedger {
  struct Entry {
    var text: String
    let probability: TokenProbability
  }

  private var open: [Entry] = []
  private var decoder = StreamingDecoder()
  /// Bytes of text that went out before the token they belong to was whole.
  private var surplus = 0
  private var skipsSpace: Bool

  /// - Parameter skipsSpace: white space at the start of the answer is dropped.
  init(skipsSpace: Bool) { self.skipsSpace = skipsSpace }

  mutating func add(_ probability: TokenProbability) {
    var text = decoder.push(probability.chosen.bytes)
    if skipsSpace {
      text = String(text.drop(while: \.isWhitespace))
      if !text.isEmpty { skipsSpace = false }
    }
    open.append(Entry(text: text, probability: probability))
  }

  /// Tokens that `text`, which goes out now, completes.
  mutating func take(_ text: String) -> [Entry] {
    surplus += text.utf8.count
    var taken: [Entry] = []
    while let next = open.first, next.text.utf8.count <= surplus {
      // Trailing tokens without text wait for what they are a part of.
      if surplus == 0, next.text.isEmpty, taken.isEmpty { break }
      surplus -= next.text.utf8.count
      taken.append(open.removeFirst())
    }
    return taken
  }

  /// The remainder when nothing more goes out: a token that a stop string cuts keeps the part that is shown.
  mutating func finish() -> [Entry] {
    // The last tokens are the beginning of a character that the answer's end has cut off. They show nothing.
    if surplus == 0, open.allSatisfy(\.text.isEmpty) { return open }
    guard surplus > 0, var last = open.first else { return [] }
    last.text = String(decoding: Array(last.text.utf8.prefix(surplus)), as: UTF8.self)
    return [last]
  }
}

extension TokenLedger.Entry {
  /// An element of `logprobs.content` of a chat answer.
  func chatJSON() -> JSONValue {
    var object = JSONObject()
    object.append("token", .string(text))
    object.append("logprob", Self.number(probability.chosen.logProbability))
    object.append("bytes", .array(probability.chosen.bytes.map { .integer(Int($0)) }))
    object.append(
      "top_logprobs",
      .array(
        probability.alternatives.map { candidate in
          [
            "token": .string(Self.name(candidate.bytes)),
            "logprob": Self.number(candidate.logProbability),
            "bytes": .array(candidate.bytes.map { .integer(Int($0)) }),
          ]
        }))
    return .object(object)
  }

  /// A token's bytes as text; where they are no text of their own, as OpenAI writes such tokens.
  static func name(_ bytes: [UInt8], mark: String = "") -> String {
    String(validating: bytes, as: UTF8.self)
      ?? mark + bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// JSON has no infinity; what cannot be is as unlikely as OpenAI writes it.
  static func number(_ value: Float) -> JSONValue { .number(Double(max(value, -9999))) }
}
