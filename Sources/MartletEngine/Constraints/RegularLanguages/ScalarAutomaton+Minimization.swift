extension ScalarAutomaton {
  /// The smallest automaton of the same language, by Hopcroft's algorithm; itself where that would cost too much.
  /// O(states · log states · classes of scalars).
  /// - Throws: ``GrammarWorkExceeded`` where the grammar that it is made for has taken too much work.
  func minimized() throws -> ScalarAutomaton {
    if isEmpty { return .empty }
    let alphabet = try ScalarPartition(sets)
    let classCount = alphabet.parts.count
    // A state more, for what has no edge.
    let count = states.count + 1
    guard count.multipliedReportingOverflow(by: classCount).partialValue <= 4 * Self.mostWork else { return self }
    try GrammarWork.spend(4 * count * classCount)
    let account = GrammarWork.current
    let sources = Sources(self, alphabet, stateCount: count)

    var blocks = StatePartition(count: count)
    blocks.mark(states.indices.filter { states[$0].isAccepting })
    _ = blocks.split()
    var waiting = Array(0..<blocks.count)
    var isWaiting = [Bool](repeating: true, count: blocks.count)
    while let splitter = waiting.popLast() {
      isWaiting[splitter] = false
      let members = Array(blocks.members(of: splitter))
      try account?.spend(members.count * classCount)
      for letter in 0..<classCount {
        for member in members { blocks.mark(sources[letter, member].lazy.map { Int($0) }) }
        for (old, new) in blocks.split() {
          isWaiting.append(true)
          // Where the old one waits, both must be looked at; else the smaller one is enough.
          let smaller = isWaiting[old] || blocks.members(of: new).count <= blocks.members(of: old).count ? new : old
          isWaiting[new] = smaller == new
          isWaiting[smaller] = true
          waiting.append(smaller)
        }
      }
    }
    return merged(blocks)
  }

  /// One state for each block.
  private func merged(_ blocks: StatePartition) -> ScalarAutomaton {
    var table = ScalarSetTable(sets)
    var numbers: [Int: Int] = [:]
    var representatives: [Int] = []
    for index in states.indices where numbers[blocks.block(of: index)] == nil {
      numbers[blocks.block(of: index)] = representatives.count
      representatives.append(index)
    }
    let result = representatives.map { index in
      var edges: [Int: [Int]] = [:]
      for edge in states[index].edges {
        edges[numbers[blocks.block(of: edge.target)] ?? 0, default: []].append(edge.set)
      }
      return State(
        edges: edges.sorted { $0.key < $1.key }.map { target, sets in
          let set = sets.count == 1 ? sets[0] : table.number(of: ScalarSet(sets.flatMap { table.sets[$0].ranges }))
          return Edge(set: set, target: target)
        },
        isAccepting: states[index].isAccepting)
    }
    return ScalarAutomaton(states: result, sets: table.sets)
  }
}

/// By class of scalars and state: the states with an edge to it. The last state stands for what has no edge.
private struct Sources {
  private let stateCount: Int
  private var starts: [Int32]
  private var states: [Int32]

  init(_ automaton: ScalarAutomaton, _ alphabet: ScalarPartition, stateCount: Int) {
    let sink = stateCount - 1, classCount = alphabet.parts.count
    var targets = [Int32](repeating: Int32(sink), count: stateCount * classCount)
    for (index, state) in automaton.states.enumerated() {
      for edge in state.edges {
        for letter in alphabet.partsOfSet[edge.set] { targets[letter * stateCount + index] = Int32(edge.target) }
      }
    }
    starts = [Int32](repeating: 0, count: stateCount * classCount + 1)
    for letter in 0..<classCount {
      for index in 0..<stateCount { starts[letter * stateCount + Int(targets[letter * stateCount + index]) + 1] += 1 }
    }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    var free = starts
    states = [Int32](repeating: 0, count: stateCount * classCount)
    for letter in 0..<classCount {
      for index in 0..<stateCount {
        let slot = letter * stateCount + Int(targets[letter * stateCount + index])
        states[Int(free[slot])] = Int32(index)
        free[slot] += 1
      }
    }
    self.stateCount = stateCount
  }

  subscript(letter: Int, state: Int) -> ArraySlice<Int32> {
    let slot = letter * stateCount + state
    return states[Int(starts[slot])..<Int(starts[slot + 1])]
  }
}

/// States in blocks, which are split into what is marked and what is not.
private struct StatePartition {
  private var order: [Int]
  private var places: [Int]
  private var blocks: [Int]
  private var ranges: [Range<Int>]
  private var markedCounts = [0]
  private var touched: [Int] = []

  init(count: Int) {
    order = Array(0..<count)
    places = order
    blocks = [Int](repeating: 0, count: count)
    ranges = [0..<count]
  }

  var count: Int { ranges.count }
  func block(of state: Int) -> Int { blocks[state] }
  func members(of block: Int) -> ArraySlice<Int> { order[ranges[block]] }

  /// Marked states stand first in their block.
  mutating func mark(_ states: some Sequence<Int>) {
    for state in states {
      let block = blocks[state]
      let free = ranges[block].lowerBound + markedCounts[block]
      guard places[state] >= free else { continue }
      if markedCounts[block] == 0 { touched.append(block) }
      let other = order[free]
      order.swapAt(free, places[state])
      places[other] = places[state]
      places[state] = free
      markedCounts[block] += 1
    }
  }

  /// Gives what is marked a block of its own where a block has both; removes all marks.
  mutating func split() -> [(old: Int, new: Int)] {
    var result: [(old: Int, new: Int)] = []
    for block in touched {
      let middle = ranges[block].lowerBound + markedCounts[block]
      markedCounts[block] = 0
      guard middle < ranges[block].upperBound else { continue }
      let new = ranges.count
      ranges.append(ranges[block].lowerBound..<middle)
      ranges[block] = middle..<ranges[block].upperBound
      markedCounts.append(0)
      for state in order[ranges[new]] { blocks[state] = new }
      result.append((block, new))
    }
    touched = []
    return result
  }
}
