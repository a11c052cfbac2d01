/// Follows a text through a ``Grammar``, byte by byte.
///
/// A pushdown automaton made deterministic as it goes: a state is the set of all stacks that the text so far allows;
/// states and the steps between them are remembered, so that a byte seen before costs one look-up. Used by one thread.
final class GrammarAutomaton {
  typealias State = Int
  /// The state from which no text goes on.
  static let dead: State = -1
  static let start: State = 0

  private enum Code {
    case bytes(ByteSet)
    case rule(Int)
    case end
  }

  /// All alternatives of all rules, one after the other.
  private var code: [Code] = []
  /// Where the alternatives of a rule begin.
  private var entries: [[Int32]] = []
  /// By state: stacks of places in `code`, the innermost last; the empty one is the end of the text.
  private var states: [[[Int32]]] = []
  private var ids: [[[Int32]]: State] = [:]
  private var transitions: [[Int32]] = []
  private static let unknown: Int32 = -2
  /// Texts nested deeper than this are not followed.
  private static let deepest = 256
  /// Remembered states are forgotten beyond this number, so that a long text cannot fill the memory.
  private static let mostStates = 50_000

  init(_ grammar: Grammar) {
    for alternatives in grammar.rules {
      var starts: [Int32] = []
      for symbols in alternatives {
        starts.append(Int32(code.count))
        for symbol in symbols {
          switch symbol {
          case .bytes(let set): code.append(.bytes(set))
          case .rule(let index): code.append(.rule(index))
          }
        }
        code.append(.end)
      }
      entries.append(starts)
    }
    // A grammar that allows nothing has no state at all.
    _ = intern(closure(entries[0].map { [$0] }))
  }

  /// Whether the text may end here.
  func isAccepting(_ state: State) -> Bool { states.indices.contains(state) && states[state].first?.isEmpty == true }

  /// Whether the text can go on from here.
  func canContinue(_ state: State) -> Bool { states.indices.contains(state) && states[state].contains { !$0.isEmpty } }

  func next(_ state: State, _ byte: UInt8) -> State {
    guard states.indices.contains(state) else { return Self.dead }
    let known = transitions[state][Int(byte)]
    if known != Self.unknown { return Int(known) }
    var moved: [[Int32]] = []
    for stack in states[state] {
      guard let top = stack.last, case .bytes(let set) = code[Int(top)], set.contains(byte) else { continue }
      var stack = stack
      stack[stack.count - 1] = top + 1
      moved.append(stack)
    }
    let result = moved.isEmpty ? Self.dead : intern(closure(moved))
    transitions[state][Int(byte)] = Int32(result)
    return result
  }

  /// The state after `bytes`.
  func next(_ state: State, _ bytes: [UInt8]) -> State {
    var state = state
    for byte in bytes {
      state = next(state, byte)
      if state < 0 { break }
    }
    return state
  }

  /// Drops what is remembered, but for one state, once that is much; its new number.
  func compact(keeping state: State) -> State {
    guard states.count > Self.mostStates, states.indices.contains(state) else { return state }
    let (start, kept) = (states[Self.start], states[state])
    states = []
    ids = [:]
    transitions = []
    _ = intern(start)
    return intern(kept)
  }

  private func intern(_ stacks: [[Int32]]) -> State {
    guard !stacks.isEmpty else { return Self.dead }
    if let id = ids[stacks] { return id }
    let id = states.count
    ids[stacks] = id
    states.append(stacks)
    transitions.append([Int32](repeating: Self.unknown, count: 256))
    return id
  }

  /// Follows rules and ends of rules until every stack stands before a byte, or is empty. Sorted, each once.
  private func closure(_ stacks: [[Int32]]) -> [[Int32]] {
    var seen: Set<[Int32]> = []
    var result: [[Int32]] = []
    var open = stacks
    while var stack = open.popLast() {
      // A rule's end goes on behind the place that called it.
      while let top = stack.last, case .end = code[Int(top)] { stack.removeLast() }
      guard seen.insert(stack).inserted else { continue }
      guard let top = stack.last, case .rule(let rule) = code[Int(top)] else {
        result.append(stack)
        continue
      }
      // A rule that comes last needs no way back.
      stack[stack.count - 1] = top + 1
      while let top = stack.last, case .end = code[Int(top)] { stack.removeLast() }
      guard stack.count < Self.deepest else { continue }
      for entry in entries[rule] { open.append(stack + [entry]) }
    }
    return result.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

extension Grammar {
  /// Whether `text` is one of the grammar's texts. O(bytes), beside what the first visit of a state costs.
  public func accepts(_ text: String) -> Bool {
    let automaton = GrammarAutomaton(self)
    return automaton.isAccepting(automaton.next(GrammarAutomaton.start, Array(text.utf8)))
  }
}
