import MartletTokenizers

/// Which tokens a grammar allows next in one answer. Used by one thread at a time.
final class TokenConstraint {
  private let automaton: GrammarAutomaton
  private let bytes: TokenBytes
  /// Tokens that end an answer, and those of them that are text as well: the tokens a request names beside the
  /// tokenizer's own.
  private let endTokens, textTokens: Set<Int>
  private var state = GrammarAutomaton.start

  /// - Parameters:
  ///   - textTokens: those of the end tokens that go on with the text where it may not end yet.
  ///   - isCancelled: asked during long work, which then ends.
  init(
    _ grammar: Grammar, bytes: TokenBytes, endTokens: Set<Int>, textTokens: Set<Int> = [],
    isCancelled: @escaping () -> Bool = { false }
  ) {
    automaton = GrammarAutomaton(grammar, isCancelled: isCancelled)
    self.bytes = bytes
    self.endTokens = endTokens
    self.textTokens = textTokens
  }

  /// Whether the token ends the text here, which it does only where the text is whole.
  func ends(with token: Int) -> Bool { endTokens.contains(token) && automaton.isAccepting(state) }

  /// A token that is text, behind which the text can be so many bytes longer.
  func allows(_ token: Int, followedBy bytes: Int) -> Bool {
    guard !ends(with: token), allows(token) else { return false }
    return automaton.canContinue(automaton.next(state, self.bytes.all[token]), bytes: bytes)
  }

  /// Tokens of a text that may stand here, behind which the text can be so many bytes longer.
  func allows(text tokens: [Int], followedBy bytes: Int) -> Bool {
    var next = state
    for token in tokens {
      guard self.bytes.all.indices.contains(token), !self.bytes.all[token].isEmpty else { return false }
      next = automaton.next(next, self.bytes.all[token])
      guard next >= 0 else { return false }
    }
    return automaton.canContinue(next, bytes: bytes)
  }

  /// An end token only where the text may end, any other only where its bytes go on in the grammar.
  func allows(_ token: Int) -> Bool {
    if ends(with: token) { return true }
    if endTokens.contains(token), !textTokens.contains(token) { return false }
    guard bytes.all.indices.contains(token), !bytes.all[token].isEmpty else { return false }
    return automaton.next(state, bytes.all[token]) >= 0
  }

  /// Goes on behind a token that was allowed.
  func accept(_ token: Int) {
    guard !ends(with: token), bytes.all.indices.contains(token) else { return }
    state = automaton.compact(keeping: automaton.next(state, bytes.all[token]))
  }

  /// The text is whole and nothing can follow.
  var isFinished: Bool { automaton.isAccepting(state) && !automaton.canContinue(state) }

  /// The text may end here.
  var isWhole: Bool { automaton.isAccepting(state) }

  /// Whether following the grammar was given up because nobody waits for the answer any more.
  var wasCancelled: Bool { automaton.wasCancelled }

  /// Why no token is allowed any more though the text is not whole.
  var problem: EngineError? { automaton.problem }
}

/// The bytes of every token of a tokenizer.
final class TokenBytes: Sendable {
  let all: [[UInt8]]
  /// All bytes of the tokens that are text.
  let writable: ByteSet

  init(_ tokenizer: any Tokenizer) {
    all = (0..<tokenizer.vocabularySize).map(tokenizer.bytes(of:))
    var writable = ByteSet()
    for (token, bytes) in all.enumerated() where !tokenizer.endOfText.contains(token) {
      for byte in bytes { writable.insert(byte) }
    }
    self.writable = writable
  }
}
