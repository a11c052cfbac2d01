/// Turns a program into a deterministic automaton.
///
/// A state is a set of threads: places in the program, each with obligations, which are conditions on the rest of the
/// text that lookahead has left behind. An obligation is again a set of threads, one of which must (or must not) come
/// through. Lookbehind is watched for from the start of the text on, so that it is known wherever it is asked for.
/// Everything is held by number: equal sets have the same one.
struct RegularExpressionDeterminizer {
  private struct Thread: Hashable, Comparable {
    // In one word, as threads are compared and hashed all the time.
    private let word: Int
    init(place: Int, obligations: Int) { word = place << 32 | obligations }
    var place: Int { word >> 32 }
    /// An index into `conjunctions`; 0 is no obligation.
    var obligations: Int { word & 0xffff_ffff }
    static func < (a: Thread, b: Thread) -> Bool { a.word < b.word }
    /// Whatever follows, it has come through.
    static let certain = Thread(place: 0, obligations: 0)
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

  /// Scalars that a state does not tell apart.
  private struct Letter {
    /// Indices into the parts of `partition`.
    let parts: [Int]
    /// By the program's sets: whether the scalars lie inside.
    var members: [Bool]
  }

  private let program: RegularExpressionProgram
  private let partition: ScalarPartition
  private var threadSets = Numbered<[Thread]>()
  private var obligations = Numbered<Obligation>()
  private var conjunctions = Numbered<[Int]>()
  private var usedSets: [Int: Set<Int>] = [:]
  private var alphabets: [[Int]: [Letter]] = [:]
  /// By place: where one comes to without a character and without a condition, once that was asked for.
  private var stops: [[Int32]?]
  /// By place: the last closure that has met it.
  private var met: [Int]
  private var closureCount = 0
  /// By copy group: the lowest rank of the threads that are being simplified.
  private var lowest: [Int]
  private var endings: [Int: Bool] = [:]
  private var work = 0
  private let account = GrammarWork.current

  private init(_ program: RegularExpressionProgram) throws {
    self.program = program
    partition = try ScalarPartition(program.sets.sets)
    stops = Array(repeating: nil, count: program.instructions.count)
    met = Array(repeating: 0, count: program.instructions.count)
    lowest = Array(repeating: .max, count: program.copyGroupCount)
    _ = conjunctions.number(of: [])
  }

  /// The automaton of all texts in which the program finds a match.
  /// - Throws: ``EngineError`` when it would be too large.
  static func automaton(of program: RegularExpressionProgram) throws -> ScalarAutomaton {
    var determinizer = try RegularExpressionDeterminizer(program)
    return try determinizer.run()
  }

  private mutating func run() throws -> ScalarAutomaton {
    var sets = ScalarSetTable()
    var setNumbers: [[Int]: Int] = [:]
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
      var edges: [Int: [Int]] = [:]
      for letter in try alphabet(key) {
        try account?.spend(4 + 2 * letter.parts.count)
        guard let next = try step(key, letter.members) else { continue }
        edges[keys.number(of: next), default: []] += letter.parts
      }
      for (target, parts) in edges.sorted(by: { $0.key < $1.key }) {
        let parts = parts.sorted()
        let set = setNumbers[parts] ?? sets.number(of: ScalarSet(parts.flatMap { partition.parts[$0].ranges }))
        setNumbers[parts] = set
        state.edges.append(.init(set: set, target: target))
      }
      try account?.spend(20 + 4 * state.edges.count)
      states.append(state)
      guard keys.values.count <= ScalarAutomaton.mostStates else { throw ScalarAutomaton.tooLarge("states") }
    }
    return try ScalarAutomaton(states: states, sets: sets.sets).minimized()
  }

  private mutating func spend(_ amount: Int) throws {
    try account?.spend(4 * amount)
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
    threadSets.values[set] == [.certain]
  }

  // MARK: without a character

  /// Follows everything that takes no character; the number of the set of threads.
  private mutating func closure(_ threads: [Thread], _ situation: inout Situation) throws -> Int {
    closureCount += 1
    let own = closureCount
    var seen: Set<Thread> = []  // those with obligations; for all others `met` is enough
    var result: [Thread] = []
    var open = threads
    while let thread = open.popLast() {
      for stop in try stops(from: thread.place) {
        let place = Int(stop)
        if thread.obligations == 0 {
          if met[place] == own { continue }
          met[place] = own
        } else if !seen.insert(Thread(place: place, obligations: thread.obligations)).inserted {
          continue
        }
        let next = Thread(place: place + 1, obligations: thread.obligations)
        switch program.instructions[place] {
        case .accept: result.append(Thread(place: 0, obligations: thread.obligations))
        case .scalars, .found, .fork: result.append(Thread(place: place, obligations: thread.obligations))
        case .start: if situation.isStart { open.append(next) }
        case .end: open.append(adding(.when(.end), to: next))
        case .ahead(let body, let negated):
          let set: Int
          if let known = situation.bodies[body] {
            set = known
          } else {
            // The body's closure meets places of its own, never those of what it stands in.
            set = try closure([Thread(place: body, obligations: 0)], &situation)
            situation.bodies[body] = set
          }
          let truth = judge(set, negated)
          if case .never = truth { continue }
          open.append(adding(truth, to: next))
        case .behind(let watcher, let negated):
          let ways = try simplified(situation.found[watcher].map { Thread(place: 0, obligations: $0) })
          let truth = judge(ways, negated)
          if case .never = truth { continue }
          open.append(adding(truth, to: next))
        }
      }
    }
    return try simplified(result)
  }

  /// Where forks lead from a place, in no order: instructions that are none. Later copies of what was seen are left out.
  private mutating func stops(from place: Int) throws -> [Int32] {
    if let known = stops[place] {
      try spend(known.count)
      return known
    }
    var result: [Int32] = []
    var seen: Set<Int> = []
    var ranks: [Int: Int] = [:]
    var open = [place]
    while let place = open.popLast() {
      guard seen.insert(place).inserted else { continue }
      let copies = program.copies[place]
      if copies.contains(where: { ranks[$0.group] ?? .max < $0.rank }) { continue }
      for copy in copies { ranks[copy.group] = copy.rank }
      if case .fork(let places) = program.instructions[place] { open += places } else { result.append(Int32(place)) }
    }
    try spend(seen.count)
    stops[place] = result
    return result
  }

  private mutating func adding(_ truth: Truth, to thread: Thread) -> Thread {
    guard case .when(let obligation) = truth else { return thread }
    let number = obligations.number(of: obligation)
    let all = Set(conjunctions.values[thread.obligations] + [number])
    return Thread(place: thread.place, obligations: conjunctions.number(of: all.sorted()))
  }

  /// Without the threads that others of the set make needless: those at the same place with more obligations, those in
  /// a later copy of what is repeated, and all where one comes through whatever follows.
  private mutating func simplified(_ threads: [Thread]) throws -> Int {
    var kept = withoutLaterCopies(threads).sorted()
    if kept.first == .certain { return threadSets.number(of: [.certain]) }
    if kept.contains(where: { $0.obligations != 0 }) {
      kept = Array(Set(kept)).sorted()
      let byPlace = Dictionary(grouping: kept, by: \.place)
      // Each is held against all others at its place.
      for rivals in byPlace.values where rivals.count > 1 { try spend(rivals.count * rivals.count) }
      kept = kept.filter { thread in
        guard thread.obligations != 0, let rivals = byPlace[thread.place], rivals.count > 1 else { return true }
        let own = Set(conjunctions.values[thread.obligations])
        return !rivals.contains { $0 != thread && own.isSuperset(of: conjunctions.values[$0.obligations]) }
      }
    }
    return threadSets.number(of: kept)
  }

  /// Without the threads that stand in a later copy than another one does, at the same place and free of obligations.
  private mutating func withoutLaterCopies(_ threads: [Thread]) -> [Thread] {
    guard threads.count > 1, !lowest.isEmpty else { return threads }
    for thread in threads where thread.obligations == 0 {
      for copy in program.copies[thread.place] { lowest[copy.group] = min(lowest[copy.group], copy.rank) }
    }
    let kept = threads.filter { thread in
      thread.obligations != 0 || program.copies[thread.place].allSatisfy { lowest[$0.group] == $0.rank }
    }
    for thread in threads where thread.obligations == 0 {
      for copy in program.copies[thread.place] { lowest[copy.group] = .max }
    }
    return kept
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

  /// The scalars that a state tells apart: those that the same of its sets hold go together.
  private mutating func alphabet(_ key: StateKey) throws -> [Letter] {
    var used = setsUsed(by: key.threads)
    for watcher in key.watchers { used.formUnion(setsUsed(by: watcher)) }
    let numbers = used.sorted()
    if let known = alphabets[numbers] { return known }
    var letterOfPart = [Int](repeating: 0, count: partition.parts.count)
    var letterCount = 1
    for number in numbers {
      var renamed: [Int: Int] = [:]
      for part in partition.partsOfSet[number] {
        let letter = renamed[letterOfPart[part]] ?? letterCount
        if letter == letterCount { letterCount += 1 }
        renamed[letterOfPart[part]] = letter
        letterOfPart[part] = letter
      }
    }
    let groups = Dictionary(grouping: letterOfPart.indices, by: { letterOfPart[$0] })
    try spend(letterOfPart.count + groups.count * program.sets.sets.count / 16)
    var letters = groups.sorted { $0.key < $1.key }.map {
      Letter(parts: $0.value, members: Array(repeating: false, count: program.sets.sets.count))
    }
    let indices = Dictionary(uniqueKeysWithValues: groups.keys.sorted().enumerated().map { ($1, $0) })
    for number in numbers {
      for part in partition.partsOfSet[number] {
        if let index = indices[letterOfPart[part]] { letters[index].members[number] = true }
      }
    }
    alphabets[numbers] = letters
    return letters
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
