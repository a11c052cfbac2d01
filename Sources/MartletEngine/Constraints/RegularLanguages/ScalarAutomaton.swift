import MartletData

/// A deterministic finite automaton over Unicode scalars. What has no edge is refused.
///
/// Every state can be reached, and can reach an accepting one; only the start of an empty language cannot.
struct ScalarAutomaton: Sendable {
  struct Edge: Sendable {
    /// An index into ``ScalarAutomaton/sets``.
    let set: Int
    let target: Int
  }

  struct State: Sendable {
    /// Their sets do not overlap.
    var edges: [Edge] = []
    var isAccepting = false
  }

  /// The first is where texts start.
  private(set) var states: [State]
  /// What stands on the edges, each set once.
  private(set) var sets: [ScalarSet]

  /// More states, in one automaton or while one is made, would make a request expensive.
  static let mostStates = 20_000
  /// The same for steps of work: pairs of edges that are compared, places that are visited.
  static let mostWork = 1_000_000

  static let empty = ScalarAutomaton(states: [State()], sets: [])

  /// Leaves out the states that lead nowhere.
  init(states: [State], sets: [ScalarSet]) {
    self.states = states
    self.sets = sets
    trim()
  }

  /// No text is accepted.
  var isEmpty: Bool { states[0].edges.isEmpty && !states[0].isAccepting }

  /// O(scalars · edges of a state · log ranges).
  func accepts(_ text: String) -> Bool {
    var state = 0
    for scalar in text.unicodeScalars {
      // Where the work has come to its end, what is said here is not used any more.
      guard GrammarWork.note(2 + states[state].edges.count) else { return false }
      guard let edge = states[state].edges.first(where: { sets[$0.set].contains(scalar.value) }) else { return false }
      state = edge.target
    }
    return states[state].isAccepting
  }

  static func tooLarge(_ what: String) -> EngineError {
    EngineError("needs too many \(what); make its counts smaller, or anchor it with ^ and $")
  }

  /// Numbers the states anew, as a walk from the start meets them.
  private mutating func trim() {
    GrammarWork.note(4 * states.count)
    var sources = [[Int]](repeating: [], count: states.count)
    for (index, state) in states.enumerated() {
      for edge in state.edges where !sets[edge.set].isEmpty { sources[edge.target].append(index) }
    }
    var isUseful = states.map(\.isAccepting)
    var open = states.indices.filter { isUseful[$0] }
    while let index = open.popLast() {
      for source in sources[index] where !isUseful[source] {
        isUseful[source] = true
        open.append(source)
      }
    }
    var numbers = [0: 0]
    var order = [0]
    var next = 0
    var kept: [State] = []
    while next < order.count {
      var state = states[order[next]]
      state.edges = state.edges.compactMap { edge in
        guard isUseful[edge.target], !sets[edge.set].isEmpty else { return nil }
        let number = numbers[edge.target] ?? order.count
        if number == order.count {
          numbers[edge.target] = number
          order.append(edge.target)
        }
        return Edge(set: edge.set, target: number)
      }
      kept.append(state)
      next += 1
    }
    states = kept
  }
}

/// Sets of scalars by number, each once.
struct ScalarSetTable {
  private(set) var sets: [ScalarSet] = []
  private var numbers: [ScalarSet: Int] = [:]

  init(_ sets: [ScalarSet] = []) { for set in sets { _ = number(of: set) } }

  mutating func number(of set: ScalarSet) -> Int {
    if let number = numbers[set] { return number }
    numbers[set] = sets.count
    sets.append(set)
    return sets.count - 1
  }
}

// MARK: operations on languages

extension ScalarAutomaton {
  /// The texts of both.
  /// - Throws: ``EngineError`` when the automaton would become too large.
  func intersection(_ other: ScalarAutomaton) throws -> ScalarAutomaton { try product(other) { $0 && $1 } }

  /// The texts of either.
  /// - Throws: ``EngineError`` when the automaton would become too large.
  func union(_ other: ScalarAutomaton) throws -> ScalarAutomaton {
    try completed().product(try other.completed()) { $0 || $1 }
  }

  /// The texts that are not this one's.
  /// - Throws: ``GrammarWorkExceeded`` where that is too much work.
  func complement() throws -> ScalarAutomaton {
    var result = try completed()
    for index in result.states.indices { result.states[index].isAccepting.toggle() }
    result.trim()
    return result
  }

  /// The same language with an edge for every scalar, and so with one state that leads nowhere.
  private func completed() throws -> ScalarAutomaton {
    var result = self
    var table = ScalarSetTable(sets)
    var numbers: [[Int]: Int] = [:]
    let sink = states.count
    for index in states.indices {
      let used = states[index].edges.map(\.set)
      try GrammarWork.spend(20 + 4 * used.count)
      if numbers[used] == nil {
        try GrammarWork.spend(used.reduce(0) { $0 + 4 * sets[$1].ranges.count })
        let covered = ScalarSet(used.flatMap { sets[$0].ranges })
        numbers[used] = table.number(of: covered.inverted)
      }
      guard let rest = numbers[used], !table.sets[rest].isEmpty else { continue }
      result.states[index].edges.append(Edge(set: rest, target: sink))
    }
    result.states.append(State(edges: [Edge(set: table.number(of: .all), target: sink)]))
    result.sets = table.sets
    return result
  }

  /// Runs both side by side.
  private func product(_ other: ScalarAutomaton, accepting: (Bool, Bool) -> Bool) throws -> ScalarAutomaton {
    struct Pair: Hashable { let first, second: Int }
    var table = ScalarSetTable()
    var common: [Pair: Int] = [:]
    var numbers = [Pair(first: 0, second: 0): 0]
    var order = [Pair(first: 0, second: 0)]
    var result: [State] = []
    var work = 0
    let account = GrammarWork.current
    while result.count < order.count {
      let (a, b) = (states[order[result.count].first], other.states[order[result.count].second])
      var state = State(isAccepting: accepting(a.isAccepting, b.isAccepting))
      work += a.edges.count * b.edges.count
      try account?.spend(20 + 8 * a.edges.count * b.edges.count)
      guard order.count <= Self.mostStates else { throw Self.tooLarge("states") }
      guard work <= Self.mostWork else { throw Self.tooLarge("steps of work") }
      for first in a.edges {
        for second in b.edges {
          let sets = Pair(first: first.set, second: second.set)
          let set: Int
          if let known = common[sets] {
            set = known
          } else {
            let (left, right) = (self.sets[first.set], other.sets[second.set])
            try account?.spend(4 * (left.ranges.count + right.ranges.count))
            set = table.number(of: left.intersection(right))
            common[sets] = set
          }
          guard !table.sets[set].isEmpty else { continue }
          let target = Pair(first: first.target, second: second.target)
          let number = numbers[target] ?? order.count
          if number == order.count {
            numbers[target] = number
            order.append(target)
          }
          state.edges.append(Edge(set: set, target: number))
        }
      }
      result.append(state)
    }
    return try ScalarAutomaton(states: result, sets: table.sets).minimized()
  }
}
