import MartletTokenizers

/// 64 tokens, one letter each, for models with the vocabulary of the fixtures.
struct Letters: Tokenizer {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var vocabularySize: Int { 64 }
  var name: String { "letters" }
  var endOfText: Set<Int> { [] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.compactMap(Self.letters.firstIndex(of:)) }
  func bytes(of token: Int) -> [UInt8] { [Self.letters[token]] }
}
