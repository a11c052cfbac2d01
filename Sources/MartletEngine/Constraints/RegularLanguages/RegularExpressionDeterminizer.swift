/// Turns a program into a deterministic automaton.
///
/// A state is a set of threads: places in the program, each with obligations, which are conditions on the rest of the
/// text that lookahead has left behind. An obligation is again a set of threads, one of which must (or must not) come
/// through. Lookbehind is watched for from the start of the text on, so that it is known wherever it is asked for.
/// Everything is held by number: equal sets have the same one.
struct RegularExpressionDeterminizer {
  private struct Thread: Hashable, Comparable {
    let place: Int
    /// An index into `conjunctions`; 0 is no obligation.
    let obligations: Int
    static func < (a: Thread, b: Thread) -> Bool { (a.place, a.obligations) < (b.place, b.obligations) }
  }

  private enum Obligation: Hashable {
    /// The text ends here.
    case end
    /// Some thread of the set (an index into `threadSets`) comes through, or none does.
    case threads(Int, negated: Bool)
  }

  private struct StateKey: Hashable {
    let threads: Int
    let watchers: [Int]
  }

  /// What is known at one place of a text.
  private struct Situation {
    var isStart = false
    /// By watcher: the obligations under which it has found its text, one conjunction a way.
    var found: [[Int]] = []
    /// What a lookahead's body becomes here, by its place.
    var bodies: [Int: Int] = [:]
    /// What an obligation has become here, by its number before the last character.
    var stepped: [Int: Truth] = [:]
  }

  private enum Truth {
    case always, never
    case when(Obligation)
  }

  /// The sets of scalars that a state tells apart.
  private struct Alphabet {
    let parts: [ScalarSet]
    /// By part, then by the program's sets: whether the part lies inside.
    let members: [[Bool]]
  }

  private let program: RegularExpressionProgram
  private var threadSets = Numbered<[Thread]>()
  private var obligations = Numbered<Obligation>()
  private var conjunctions = Numbered<[Int]>()
  private var usedSets: [Int: Set<Int>] = [:]
  private var alphabets: [[Int]: Alphabet] = [:]
  private var endings: [Int: Bool] = [:]
  private var work = 0

  private init(_ program: RegularExpressionProgram) {
    self.program = program
    _ = conjunctions.number(of: [])
  }

  /// The automaton of all texts in which the program finds a match.
  /// - Throws: ``EngineError`` when it would be too large.
  static func automaton(of program: RegularExpressionProgram) throws -> ScalarAutomaton {
    var determinizer = RegularExpressionDeterminizer(program)
    return try determinizer.run()
  }

  private mutating func run() throws -> ScalarAutomaton {
    var sets = ScalarSetTable()
    var keys = Numbered<StateKey>()
    var situation = Situation(isStart: true)
    var watchers: [Int] = []
    for watcher in program.watchers {
      watchers.append(try watch([Thread(place: watcher, obligations: 0)], &situation))
    }
    let entry = try closure([Thread(place: program.entry, obligations: 0)], &situation)
    _ = keys.number(of: StateKey(threads: entry, watchers: watchers))
    var states: [ScalarAutomaton.State] = []
    while states.count < keys.values.count {
      let key = keys.values[states.count]
      var state = ScalarAutomaton.State(isAccepting: comesThrough(key.threads))
      // Edges that lead to the same state are one.
      var edges: [Int: [ClosedRange<UInt32>]] = [:]
      for (part, members) in try zip(alphabet(key).parts, alphabet(key).members) {
        guard let next = try step(key, members) else { continue }
        edges[keys.number(of: next), default: []] += part.ranges
      }
      for (target, ranges) in edges.sorted(by: { $0.key < $1.key }) {
        state.edges.append(.init(set: sets.number(of: ScalarSet(ranges)), target: target))
      }
      states.append(state)
      guard keys.values.count <= ScalarAutomaton.mostStates else { throw ScalarAutomaton.tooLarge("states") }
    }
    return ScalarAutomaton(states: states, sets: sets.sets).minimized()
  }

  private mutating func spend(_ amount: Int) throws {
    work += amount
    guard work <= ScalarAutomaton.mostWork else { throw ScalarAutomaton.tooLarge("steps of work") }
  }

  // MARK: one character on

  /// The state behind a scalar that lies in the sets with `members[set]`; nil where no text goes on so.
  private mutating func step(_ key: StateKey, _ members: [Bool]) throws -> StateKey? {
    var situation = Situation()
    var watchers: [Int] = []
    for (watcher, threads) in zip(program.watchers, key.watchers) {
      let moved = try moved(threads, members, &situation)
      watchers.append(try watch(moved + [Thread(place: watcher, obligations: 0)], &situation))
    }
    let threads = try closure(try moved(key.threads, members, &situation), &situation)
    if threadSets.values[threads].isEmpty { return nil }
    // What comes through whatever follows has nothing to look back for.
    if isCertain(threads) { watchers = watchers.map { _ in threadSets.number(of: []) } }
    return StateKey(threads: threads, watchers: watchers)
  }

  /// Closes a watcher's threads and notes what it has found.
  private mutating func watch(_ threads: [Thread], _ situation: inout Situation) throws -> Int {
    let set = try closure(threads, &situation)
    situation.found.append(
      threadSets.values[set].filter { if case .found = program.instructions[$0.place] { true } else { false } }
        .map(\.obligations))
    return set
  }

  private mutating func moved(_ set: Int, _ members: [Bool], _ situation: inout Situation) throws -> [Thread] {
    var result: [Thread] = []
    let threads = threadSets.values[set]
    try spend(threads.count)
    for thread in threads {
      let place: Int
      switch program.instructions[thread.place] {
      case .scalars(let set) where members[set]: place = thread.place + 1
      case .accept: place = thread.place
      default: continue
      }
      if thread.obligations == 0 {
        result.append(Thread(place: place, obligations: 0))
      } else if let obligations = try moved(conjunction: thread.obligations, members, &situation) {
        result.append(Thread(place: place, obligations: obligations))
      }
    }
    return result
  }

  /// The obligations that are left of some; nil where one is broken.
  private mutating func moved(
    conjunction: Int, _ members: [Bool], _ situation: inout Situation
  ) throws -> Int? {
    var left: [Int] = []
    for number in conjunctions.values[conjunction] {
      let truth: Truth
      if let known = situation.stepped[number] {
        truth = known
      } else {
        switch obligations.values[number] {
        case .end: truth = .never
        case .threads(let set, let negated):
          let left = try closure(try moved(set, members, &situation), &situation)
          truth = judge(left, negated)
        }
        situation.stepped[number] = truth
      }
      switch truth {
      case .always: continue
      case .never: return nil
      case .when(let obligation): left.append(obligations.number(of: obligation))
      }
    }
    return conjunctions.number(of: Set(left).sorted())
  }

  private func judge(_ set: Int, _ negated: Bool) -> Truth {
    if threadSets.values[set].isEmpty { return negated ? .always : .never }
    if isCertain(set) { return negated ? .never : .always }
    return .when(.threads(set, negated: negated))
  }

  private func isCertain(_ set: Int) -> Bool {
    threadSets.values[set] == [Thread(place: 0, obligations: 0)]
  }

  // MARK: without a character

  /// Follows everything that takes no character; the number of the set of threads.
  private mutating func closure(_ threads: [Thread], _ situation: inout Situation) throws -> Int {
    var seen: Set<Thread> = []
    var result: [Thread] = []
    var open = threads
    while let thread = open.popLast() {
      guard seen.insert(thread).inserted else { continue }
      try spend(1)
      let next = Thread(place: thread.place + 1, obligations: thread.obligations)
      switch program.instructions[thread.place] {
      case .scalars, .found: result.append(thread)
      case .accept: result.append(Thread(place: 0, obligations: thread.obligations))
      case .fork(let places):
        for place in places { open.append(Thread(place: place, obligations: thread.obligations)) }
      case .start: if situation.isStart { open.append(next) }
      case .end: open.append(adding(.when(.end), to: next))
      case .ahead(let body, let negated):
        let set: Int
        if let known = situation.bodies[body] {
          set = known
        } else {
          set = try closure([Thread(place: body, obligations: 0)], &situation)
          situation.bodies[body] = set
        }
        let truth = judge(set, negated)
        if case .never = truth { continue }
        open.append(adding(truth, to: next))
      case .behind(let watcher, let negated):
        let ways = simplified(situation.found[watcher].map { Thread(place: 0, obligations: $0) })
        let truth = judge(ways, negated)
        if case .never = truth { continue }
        open.append(adding(truth, to: next))
      }
    }
    return simplified(result)
  }

  private mutating func adding(_ truth: Truth, to thread: Thread) -> Thread {
    guard case .when(let obligation) = truth else { return thread }
    let number = obligations.number(of: obligation)
    let all = Set(conjunctions.values[thread.obligations] + [number])
    return Thread(place: thread.place, obligations: conjunctions.number(of: all.sorted()))
  }

  /// Without the threads that others of the set make needless: those at the same place with more obligations, and all
  /// where one comes through whatever follows.
  private mutating func simplified(_ threads: [Thread]) -> Int {
    let all = Set(threads)
    if all.contains(Thread(place: 0, obligations: 0)) {
      return threadSets.number(of: [Thread(place: 0, obligations: 0)])
    }
    var kept = all.sorted()
    if kept.contains(where: { $0.obligations != 0 }) {
      let byPlace = Dictionary(grouping: kept, by: \.place)
      kept = kept.filter { thread in
        guard thread.obligations != 0, let rivals = byPlace[thread.place], rivals.count > 1 else { return true }
        let own = Set(conjunctions.values[thread.obligations])
        return !rivals.contains { $0 != thread && own.isSuperset(of: conjunctions.values[$0.obligations]) }
      }
    }
    return threadSets.number(of: kept)
  }

  // MARK: the end of a text

  /// Whether a thread comes through where the text ends.
  private mutating func comesThrough(_ set: Int) -> Bool {
    if let known = endings[set] { return known }
    var result = false
    for thread in threadSets.values[set] where thread.place == 0 && !result {
      result = true
      for number in conjunctions.values[thread.obligations] where result {
        switch obligations.values[number] {
        case .end: continue
        case .threads(let set, let negated): result = comesThrough(set) != negated
        }
      }
    }
    endings[set] = result
    return result
  }

  // MARK: which scalars differ

  private mutating func alphabet(_ key: StateKey) throws -> Alphabet {
    var used = setsUsed(by: key.threads)
    for watcher in key.watchers { used.formUnion(setsUsed(by: watcher)) }
    let numbers = used.sorted()
    if let known = alphabets[numbers] { return known }
    let partition = ScalarPartition(numbers.map { program.sets.sets[$0] })
    try spend(partition.parts.count * program.sets.sets.count / 16)
    var members = [[Bool]](
      repeating: [Bool](repeating: false, count: program.sets.sets.count), count: partition.parts.count)
    for (number, parts) in zip(numbers, partition.partsOfSet) {
      for part in parts { members[part][number] = true }
    }
    let alphabet = Alphabet(parts: partition.parts, members: members)
    alphabets[numbers] = alphabet
    return alphabet
  }

  /// The sets that threads stand before, their obligations' threads too.
  private mutating func setsUsed(by set: Int) -> Set<Int> {
    if let known = usedSets[set] { return known }
    var result: Set<Int> = []
    for thread in threadSets.values[set] {
      if case .scalars(let number) = program.instructions[thread.place] { result.insert(number) }
      for number in conjunctions.values[thread.obligations] {
        if case .threads(let inner, _) = obligations.values[number] { result.formUnion(setsUsed(by: inner)) }
      }
    }
    usedSets[set] = result
    return result
  }
}

/// Values by number, each once.
private struct Numbered<Value: Hashable> {
  private(set) var values: [Value] = []
  private var numbers: [Value: Int] = [:]

  mutating func number(of value: Value) -> Int {
    if let number = numbers[value] { return number }
    numbers[value] = values.count
    values.append(value)
    return values.count - 1
  }
}
