import MartletTokenizers

/// Names of control tokens inside raw text, e.g. the `<|im_start|>` of a conversation that was written with a template.
struct ControlTokens {
  private let tokenizer: any Tokenizer
  private var known: [String: Bool] = [:]

  init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  /// The first name in the text that is one token where control tokens are read and several where they are not.
  mutating func first(in text: [UInt8]) -> String? {
    var at = text.startIndex
    while at < text.endIndex {
      guard text[at] == UInt8(ascii: "<") || text[at] == UInt8(ascii: "[") else {
        at += 1
        continue
      }
      let closing = text[at] == UInt8(ascii: "<") ? UInt8(ascii: ">") : UInt8(ascii: "]")
      let name = text[at...].prefix(64).prefix { $0 != closing && $0 > 0x20 }
      let end = name.endIndex
      if end < text.endIndex, text[end] == closing, isControl(String(decoding: text[at...end], as: UTF8.self)) {
        return String(decoding: text[at...end], as: UTF8.self)
      }
      at += 1
    }
    return nil
  }

  private mutating func isControl(_ name: String) -> Bool {
    if let answer = known[name] { return answer }
    let answer = tokenizer.encode(name, special: true) != tokenizer.encode(name, special: false)
    if known.count < 10_000 { known[name] = answer }
    return answer
  }
}
