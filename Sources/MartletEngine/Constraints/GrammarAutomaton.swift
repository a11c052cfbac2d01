/// Follows a text through a ``Grammar``, byte by byte.
///
/// A pushdown automaton made deterministic as it goes: a state is the set of all stacks that the text so far allows.
/// Sets of stacks are held as a graph: a node lists the places on top, each with the node of what lies below it, and
/// equal sets are the same node, so that what stacks share is held once however many they are. States and the steps
/// between them are remembered: a byte seen before costs one look-up. Used by one thread at a time.
final class GrammarAutomaton {
  typealias State = Int
  /// The state from which no text goes on.
  static let dead: State = -1
  static let start: State = 0

  /// A place in the grammar's code on top of a stack, and the node of the stacks below it.
  private struct Top: Hashable, Comparable {
    let place: Int32
    let below: Int32
    static func < (a: Top, b: Top) -> Bool { a.place < b.place }
  }

  private struct Node: Hashable {
    /// The empty stack is one of them: the text may end.
    var mayEnd = false
    /// In order of their places, each once.
    var tops: [Top] = []
  }

  private struct Pair: Hashable { let first, second: Int32 }

  private let grammar: Grammar
  private let classCount: Int
  private let isCancelled: () -> Bool

  /// The first is the empty stack alone.
  private var nodes: [Node] = []
  private var nodeNumbers: [Node: Int32] = [:]
  /// How high the highest stack of a node is.
  private var heights: [Int32] = []
  /// By node: bytes of the longest text from it, where that was asked for.
  private var longest: [Int32: Int32] = [:]
  private lazy var lengths = GrammarLengths(grammar)
  private var unions: [Pair: Int32] = [:]
  /// The node of every state; its places all stand before a byte.
  private var states: [Int32] = []
  private var stateNumbers: [Int32: State] = [:]
  /// By state and class of bytes.
  private var transitions: [Int32] = []
  private static let unknown: Int32 = -2
  private var work = 0

  /// Texts nested deeper than this are not followed.
  private static let deepest = 256
  /// What is remembered is forgotten beyond these sizes, so that a long text cannot fill the memory.
  private static let mostTransitions = 4_000_000
  private static let mostNodes = 200_000
  /// Steps for the choice of one token; more would hold up all other answers.
  private let mostWork: Int
  /// The same for one byte.
  private static let mostWorkForByte = 300_000
  private var workBeforeByte = 0

  /// Whether work ended because nobody waits for the answer any more.
  private(set) var wasCancelled = false
  /// Why the text cannot be followed any further, though the grammar may allow it.
  private(set) var problem: EngineError?

  /// - Parameter isCancelled: asked during long work; once true, every further step leads to ``dead``.
  init(_ grammar: Grammar, mostWork: Int = 5_000_000, isCancelled: @escaping () -> Bool = { false }) {
    self.grammar = grammar
    self.mostWork = mostWork
    self.isCancelled = isCancelled
    classCount = grammar.byteClasses.count
    let bottom = number(of: Node(mayEnd: true))
    if let start = closure(grammar.alternatives(of: 0).map { Top(place: $0, below: bottom) }) { _ = state(of: start) }
  }

  /// Whether the text may end here.
  func isAccepting(_ state: State) -> Bool { states.indices.contains(state) && nodes[Int(states[state])].mayEnd }

  /// Whether the text can go on from here.
  func canContinue(_ state: State) -> Bool {
    states.indices.contains(state) && !nodes[Int(states[state])].tops.isEmpty
  }

  /// Whether so many more bytes can follow.
  func canContinue(_ state: State, bytes: Int) -> Bool {
    states.indices.contains(state) && Int(longest(from: states[state])) >= bytes
  }

  /// Stacks are no higher than ``deepest``, and so are the calls.
  private func longest(from node: Int32) -> Int32 {
    if let known = longest[node] { return known }
    var result: Int32 = 0
    for top in nodes[Int(node)].tops {
      result = max(result, GrammarLengths.sum(lengths[Int(top.place)], longest(from: top.below)))
    }
    longest[node] = result
    return result
  }

  func next(_ state: State, _ byte: UInt8) -> State {
    guard state >= 0, state < states.count else { return Self.dead }
    let slot = state * classCount + Int(grammar.byteClasses.classes[Int(byte)])
    let known = transitions[slot]
    return known != Self.unknown ? Int(known) : step(state, byte, slot)
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

  /// Begins a new account of work and, once much is remembered, forgets all but one state; its new number.
  func compact(keeping state: State) -> State {
    work = 0
    guard transitions.count > Self.mostTransitions || nodes.count > Self.mostNodes, states.indices.contains(state)
    else { return state }
    let old = nodes, kept = [states[Self.start], states[state]]
    nodes = []
    nodeNumbers = [:]
    heights = []
    longest = [:]
    unions = [:]
    states = []
    stateNumbers = [:]
    transitions = []
    _ = number(of: Node(mayEnd: true))
    var copies: [Int32: Int32] = [:]
    func copy(_ node: Int32) -> Int32 {
      if let known = copies[node] { return known }
      var new = old[Int(node)]
      new.tops = new.tops.map { Top(place: $0.place, below: copy($0.below)) }
      let number = number(of: new)
      copies[node] = number
      return number
    }
    return kept.map { self.state(of: copy($0)) }[1]
  }

  // MARK: making states

  private func step(_ state: State, _ byte: UInt8, _ slot: Int) -> State {
    let tops = nodes[Int(states[state])].tops
    guard spend(tops.count) else { return Self.dead }
    let moved = tops.compactMap { top in
      grammar.sets[Int(grammar.code[Int(top.place)])].contains(byte) ? Top(place: top.place + 1, below: top.below) : nil
    }
    guard !moved.isEmpty else {
      transitions[slot] = Int32(Self.dead)
      return Self.dead
    }
    guard let node = closure(moved) else { return Self.dead }
    let result = self.state(of: node)
    transitions[slot] = Int32(result)
    return result
  }

  private func state(of node: Int32) -> State {
    if let known = stateNumbers[node] { return known }
    let result = states.count
    stateNumbers[node] = result
    states.append(node)
    transitions += repeatElement(Self.unknown, count: classCount)
    return result
  }

  private func number(of node: Node) -> Int32 {
    if let known = nodeNumbers[node] { return known }
    let result = Int32(nodes.count)
    nodeNumbers[node] = result
    nodes.append(node)
    heights.append(1 + (node.tops.map { heights[Int($0.below)] }.max() ?? -1))
    return result
  }

  /// Follows rules and ends of rules until every stack stands before a byte, or is empty; nil where that is too much.
  private func closure(_ tops: [Top]) -> Int32? {
    workBeforeByte = work
    var reached: [Int32: Int32] = [:]
    var result = Node()
    var open = tops
    while let top = open.popLast() {
      guard spend(1) else { return nil }
      if let known = reached[top.place] {
        let both = union(known, top.below)
        if both == known { continue }
        reached[top.place] = both
      } else {
        reached[top.place] = top.below
      }
      let symbol = grammar.code[Int(top.place)]
      if symbol == Grammar.end {
        // A rule's end goes on behind the place that called it.
        let below = nodes[Int(top.below)]
        if below.mayEnd { result.mayEnd = true }
        open += below.tops
      } else if symbol < 0 {
        // A rule that comes last needs no way back.
        var below = top.below
        if grammar.code[Int(top.place) + 1] != Grammar.end {
          guard heights[Int(below)] < Self.deepest else { continue }
          below = number(of: Node(tops: [Top(place: top.place + 1, below: below)]))
        }
        for place in grammar.alternatives(of: Int(~symbol)) { open.append(Top(place: place, below: below)) }
      }
    }
    for (place, below) in reached where grammar.code[Int(place)] > 0 {
      result.tops.append(Top(place: place, below: below))
    }
    result.tops.sort()
    // Stacks that would be too high were left out: a text that only they go on with is at a dead end.
    guard result.mayEnd || !result.tops.isEmpty else { return nil }
    return number(of: result)
  }

  /// The stacks of both nodes.
  private func union(_ first: Int32, _ second: Int32) -> Int32 {
    if first == second { return first }
    let pair = Pair(first: min(first, second), second: max(first, second))
    if let known = unions[pair] { return known }
    let a = nodes[Int(first)], b = nodes[Int(second)]
    _ = spend(a.tops.count + b.tops.count)
    var result = Node(mayEnd: a.mayEnd || b.mayEnd)
    var i = 0, j = 0
    while i < a.tops.count || j < b.tops.count {
      if j == b.tops.count || (i < a.tops.count && a.tops[i] < b.tops[j]) {
        result.tops.append(a.tops[i])
        i += 1
      } else if i == a.tops.count || b.tops[j] < a.tops[i] {
        result.tops.append(b.tops[j])
        j += 1
      } else {
        result.tops.append(Top(place: a.tops[i].place, below: union(a.tops[i].below, b.tops[j].below)))
        i += 1
        j += 1
      }
    }
    let number = number(of: result)
    unions[pair] = number
    return number
  }

  /// Whether so much more work may be done.
  private func spend(_ amount: Int) -> Bool {
    if work / 1024 != (work + amount) / 1024, problem == nil, isCancelled() {
      wasCancelled = true
      problem = EngineError("the answer was cancelled")
    }
    work += amount
    if work > mostWork || work - workBeforeByte > Self.mostWorkForByte, problem == nil {
      problem = EngineError(
        "the grammar has too many parses of one text; make the schema less ambiguous")
    }
    return problem == nil
  }
}

extension Grammar {
  /// Whether `text` belongs to the language of the grammar. O(bytes), in addition to the cost of the first visit of
  /// each state.
  public func accepts(_ text: String) -> Bool {
    let automaton = GrammarAutomaton(self)
    return automaton.isAccepting(automaton.next(GrammarAutomaton.start, Array(text.utf8)))
  }
}
