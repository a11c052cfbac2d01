import MartletTokenizers

extension Tokenizer {
  /// Tokens whose bytes are exactly a text's, behind other tokens: without the space that some tokenizers put before a text.
  /// - Returns: nil where the vocabulary cannot write the text so.
  func tokens(continuingWith text: [UInt8]) -> [Int]? {
    // A tokenizer may join its space with the first character, but not with a line break.
    for lead in [[], [UInt8(ascii: "\n")]] {
      var tokens = encode(lead + text, special: false)[...]
      var count = tokens.reduce(0) { $0 + bytes(of: $1).count }
      while count > text.count, let first = tokens.popFirst() { count -= bytes(of: first).count }
      if !tokens.isEmpty, tokens.flatMap(bytes(of:)) == text { return Array(tokens) }
    }
    return nil
  }
}
