/// A text that is a token by itself, such as `<|im_start|>`, cut out before anything else is done.
struct AddedToken: Sendable {
  var text: String
  var id: Int
  /// Has no text of its own in answers; it is plain text where the user's words are encoded.
  var isSpecial = false
  /// Only where no letter, digit or underscore touches it.
  var singleWord = false
  /// Takes the white space on its left or right with it.
  var stripsLeft = false, stripsRight = false
  /// Looked for after normalisation, in its own normalised form.
  var isNormalized = false
}

/// Finds added tokens: the leftmost, and of those the longest.
struct AddedTokens: Sendable {
  private let tokens: [AddedToken]
  /// A trie over scalars: from a node and a scalar to the next node.
  private var children: [UInt64: Int32] = [:]
  /// The token that ends at a node, or -1.
  private var ends: [Int32] = [-1]
  /// ASCII characters that begin a token, as bits.
  private var low: UInt64 = 0, high: UInt64 = 0

  var isEmpty: Bool { tokens.isEmpty }

  /// - Parameter spellings: what each token looks like in the text.
  init(_ tokens: [AddedToken], spellings: [[Unicode.Scalar]]) {
    self.tokens = tokens
    for (index, spelling) in spellings.enumerated() {
      guard let first = spelling.first else { continue }
      if first.value < 64 { low |= 1 << UInt64(first.value) }
      if (64..<128).contains(first.value) { high |= 1 << UInt64(first.value - 64) }
      var node: Int32 = 0
      for scalar in spelling {
        let key = UInt64(node) << 32 | UInt64(scalar.value)
        if let child = children[key] {
          node = child
        } else {
          node = Int32(ends.count)
          ends.append(-1)
          children[key] = node
        }
      }
      if ends[Int(node)] < 0 { ends[Int(node)] = Int32(index) }
    }
  }

  /// The longest token that begins at `start`, and its end.
  private func longest(_ text: [Unicode.Scalar], _ start: Int) -> (token: AddedToken, end: Int)? {
    let value = text[start].value
    if value < 64 ? low >> UInt64(value) & 1 == 0 : value < 128 && high >> UInt64(value - 64) & 1 == 0 { return nil }
    var node: Int32 = 0, at = start
    var found: (token: AddedToken, end: Int)?
    while at < text.count, let child = children[UInt64(node) << 32 | UInt64(text[at].value)] {
      node = child
      at += 1
      if ends[Int(node)] >= 0 { found = (tokens[Int(ends[Int(node)])], at) }
    }
    return found
  }

  /// Calls `token` and `plain` for the parts of `text` in order.
  ///
  /// - Parameters:
  ///   - special: without, special tokens are left in the text.
  ///   - barred: names of tokens that are left in the text too.
  func split(
    _ text: [Unicode.Scalar], special: Bool, barring barred: Set<String> = [], token: (Int) -> Void,
    plain: (Range<Int>) -> Void
  ) {
    // `done` is what has been handed out; a token that takes white space with it may reach behind the next match, which
    // is then handed out all the same, as `tokenizers` does.
    var done = 0, at = 0, spaceEnd = 0
    while at < text.count, !tokens.isEmpty {
      guard let (found, end) = longest(text, at) else {
        at += 1
        continue
      }
      let start = at
      at = end
      if found.isSpecial, !special { continue }
      if !barred.isEmpty, barred.contains(found.text) { continue }
      if found.singleWord,
        (start > 0 && text[start - 1].isWord) || (end < text.count && text[end].isWord)
      {
        continue
      }
      var from = start, to = end
      if found.stripsLeft {
        while from > done, text[from - 1].isWhiteSpace { from -= 1 }
        from = max(from, done)
      }
      if found.stripsRight {
        to = max(end, spaceEnd)
        while to < text.count, text[to].isWhiteSpace { to += 1 }
        spaceEnd = to
      }
      if done < from { plain(done..<from) }
      if from < to { token(found.id) }  // else the token before has taken all of it
      done = to
    }
    if done < text.count { plain(done..<text.count) }
  }
}
