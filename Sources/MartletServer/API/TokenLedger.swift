import MartletData
import MartletEngine
import MartletTokenizers

/// Pairs generated tokens with the text that has gone out, so that the tokens' texts joined are that text.
///
/// A token whose bytes end inside a character has an empty text; the token that completes the character has it whole.
/// One that stands across text and a call has the part that is text, and one inside a call is not told.
struct TokenLedger {
  struct Entry {
    var text: String
    let probability: TokenProbability
  }

  /// A token whose text has not gone out whole.
  private struct Open {
    let entry: Entry
    /// Bytes of its text that have gone out, and those of them that are shown.
    var gone = 0
    var shown: [UInt8] = []
  }

  private var open: [Open] = []
  private var decoder = StreamingDecoder()
  /// What went out last is shown.
  private var isShown = true
  private var skipsSpace: Bool

  /// - Parameter skipsSpace: white space at the start of the answer is dropped.
  init(skipsSpace: Bool) { self.skipsSpace = skipsSpace }

  mutating func add(_ probability: TokenProbability) {
    var text = decoder.push(probability.chosen.bytes)
    if skipsSpace {
      text = String(text.drop(while: \.isWhitespace))
      if !text.isEmpty { skipsSpace = false }
    }
    open.append(Open(entry: Entry(text: text, probability: probability)))
  }

  /// Tokens that the next bytes of the answer complete, which go out now: as text, or as a part of a call.
  mutating func take(_ count: Int, isShown: Bool = true) -> [Entry] {
    self.isShown = isShown
    var rest = count
    var taken: [Entry] = []
    while let next = open.first {
      let text = next.entry.text.utf8
      // Trailing tokens without text wait for what they are a part of.
      if rest == 0, !text.isEmpty || taken.isEmpty { break }
      let part = min(rest, text.count - next.gone)
      rest -= part
      open[0].gone += part
      if isShown { open[0].shown += text.dropFirst(next.gone).prefix(part) }
      guard open[0].gone == text.count else { break }
      let shown = open.removeFirst().shown
      if text.isEmpty ? isShown : !shown.isEmpty {
        taken.append(Entry(text: String(decoding: shown, as: UTF8.self), probability: next.entry.probability))
      }
    }
    return taken
  }

  /// The remainder when nothing more goes out: a token that a stop string cuts keeps the part that is shown.
  mutating func finish() -> [Entry] {
    // The last tokens are the beginning of a character that the answer's end has cut off. They show nothing.
    if open.allSatisfy(\.entry.text.isEmpty) { return isShown ? open.map(\.entry) : [] }
    guard let last = open.first, !last.shown.isEmpty else { return [] }
    return [Entry(text: String(decoding: last.shown, as: UTF8.self), probability: last.entry.probability)]
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
