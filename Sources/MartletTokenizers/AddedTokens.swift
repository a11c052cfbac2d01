/// Tokens that stand for themselves in text, such as `<|im_start|>`; they are cut out before anything else.
struct AddedTokens: Sendable {
  private let trie: [UInt8: [(bytes: [UInt8], id: Int)]]
  let ids: [String: Int]

  init(_ tokens: [String: Int]) {
    ids = tokens
    trie = Dictionary(grouping: tokens.filter { !$0.key.isEmpty }.map { (bytes: Array($0.key.utf8), id: $0.value) }) {
      $0.bytes[0]
    }.mapValues { $0.sorted { $0.bytes.count > $1.bytes.count } }
  }

  /// Calls `token` and `text` for the parts of `bytes` in order. The longest token at a place wins.
  func split(_ bytes: [UInt8], token: (Int) -> Void, text: (ArraySlice<UInt8>) -> Void) {
    if trie.isEmpty { return bytes.isEmpty ? () : text(bytes[...]) }
    var start = 0, at = 0
    while at < bytes.count {
      if let found = trie[bytes[at]]?.first(where: { bytes[at...].starts(with: $0.bytes) }) {
        if start < at { text(bytes[start..<at]) }
        token(found.id)
        at += found.bytes.count
        start = at
      } else {
        at += 1
      }
    }
    if start < bytes.count { text(bytes[start...]) }
  }
}
