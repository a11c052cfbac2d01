/// A regular expression, matched as Oniguruma does: from left to right over scalars, the first alternative that leads
/// to a match wins.
///
/// It is compiled to a list of instructions and run with a stack of its own, so that neither the expression nor the
/// text can exhaust the thread's stack.
struct RegularExpression: Sendable {
  enum Instruction: Equatable {
    case set(Int)
    /// One set again and again; backtracking gives back one scalar at a time, possessive repetition none.
    case repeatSet(Int, atLeast: Int, atMost: Int, possessive: Bool)
    /// Goes on at the first place, and at the second if that fails.
    case fork(Int, Int)
    case jump(Int)
    /// Remembers the place in the text.
    case mark(Int)
    /// Leaves a loop whose body has matched nothing since its mark.
    case leaveIfStill(Int, exit: Int)
    /// The instructions up to `end` must (not) match here, or in the scalars before.
    case look(end: Int, behind: ClosedRange<Int>?, negative: Bool)
    /// The instructions up to `end`, whose first match is final.
    case atomic(end: Int)
    case assertion(RegularExpressionNode.Assertion)
    /// A look behind must end where it was asked from.
    case arrive
    case match
  }

  let pattern: String
  fileprivate var instructions: [Instruction] = []
  fileprivate var sets: [CompiledSet] = []
  /// The ASCII parts of ``sets``: two words a set.
  fileprivate var asciiBits: [UInt64] = []
  fileprivate var markCount = 0
  private var partCount = 0

  /// - Throws: ``RegularExpressionError``
  init(_ pattern: String) throws {
    self.pattern = pattern
    try compile(try RegularExpressionParser.parse(pattern))
    instructions.append(.match)
  }

  /// Matches of the text in `range`, seen as a text of its own. An empty match counts where it does not touch the match
  /// before it.
  ///
  /// The work is bounded: an expression that needs more than some hundred steps for each scalar of the text (those of
  /// real models need some ten) finds nothing more; Oniguruma gives up as well.
  func matches(in text: [Unicode.Scalar], _ range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var run = RegularExpressionRun(self, text: text)
    run.forEachMatch(in: range) { found.append($0) }
    return found
  }

  // MARK: compiling

  private mutating func emit(_ instruction: Instruction) throws -> Int {
    guard instructions.count < 20_000 else { throw RegularExpressionError("written out it has over 20,000 steps") }
    instructions.append(instruction)
    return instructions.count - 1
  }

  private mutating func compile(_ node: RegularExpressionNode) throws {
    // Parts that match nothing give no instructions, but repeated they take time as well.
    partCount += 1
    guard partCount <= 100_000 else { throw RegularExpressionError("written out it has over 100,000 parts") }
    switch node {
    case .set(let set): _ = try emit(.set(add(set)))
    case .assertion(let assertion): _ = try emit(.assertion(assertion))
    case .sequence(let nodes): for node in nodes { try compile(node) }
    case .alternatives(let nodes):
      var exits: [Int] = []
      for node in nodes.dropLast() {
        let fork = try emit(.fork(0, 0))
        try compile(node)
        exits.append(try emit(.jump(0)))
        instructions[fork] = .fork(fork + 1, instructions.count)
      }
      if let last = nodes.last { try compile(last) }
      for exit in exits { instructions[exit] = .jump(instructions.count) }
    case .atomic(let node):
      let start = try emit(.match)
      try compile(node)
      instructions[start] = .atomic(end: try emit(.match) + 1)
    case .look(let node, let ahead, let negative):
      let start = try emit(.match)
      try compile(node)
      let width = node.width
      let behind = ahead ? nil : width.least...max(width.least, width.most ?? 255)
      instructions[start] = .look(end: try emit(ahead ? .match : .arrive) + 1, behind: behind, negative: negative)
    case .repeated(let node, let atLeast, let atMost, let greed):
      if case .set(let set) = node, greed != .lazy {
        let repetition = Instruction.repeatSet(
          add(set), atLeast: atLeast, atMost: atMost ?? .max, possessive: greed == .possessive)
        _ = try emit(repetition)
      } else if greed == .possessive {
        try compile(.atomic(.repeated(node, atLeast: atLeast, atMost: atMost, .greedy)))
      } else {
        try compileLoop(node, atLeast: atLeast, atMost: atMost, lazy: greed == .lazy)
      }
    }
  }

  private mutating func compileLoop(_ node: RegularExpressionNode, atLeast: Int, atMost: Int?, lazy: Bool) throws {
    for _ in 0..<atLeast { try compile(node) }
    func fork(_ place: Int, body: Int, exit: Int) {
      instructions[place] = lazy ? .fork(exit, body) : .fork(body, exit)
    }
    if let atMost {
      var forks: [Int] = []
      for _ in atLeast..<max(atLeast, atMost) {
        forks.append(try emit(.fork(0, 0)))
        try compile(node)
      }
      for place in forks { fork(place, body: place + 1, exit: instructions.count) }
      return
    }
    let start = try emit(.fork(0, 0))
    if node.width.least == 0 {
      if node.isReluctant { throw RegularExpressionError("it repeats what may reluctantly match nothing") }
      let mark = markCount
      markCount += 1
      _ = try emit(.mark(mark))
      try compile(node)
      let check = try emit(.match)
      _ = try emit(.jump(start))
      instructions[check] = .leaveIfStill(mark, exit: instructions.count)
    } else {
      try compile(node)
      _ = try emit(.jump(start))
    }
    fork(start, body: start + 1, exit: instructions.count)
  }

  private mutating func add(_ set: ScalarSet) -> Int {
    let compiled = CompiledSet(set)
    sets.append(compiled)
    asciiBits += [compiled.low, compiled.high]
    return sets.count - 1
  }
}

/// Equal where they are the same once they are written out, however their characters are spelled (`\x{4E00}`).
extension RegularExpression: Equatable {
  static func == (a: RegularExpression, b: RegularExpression) -> Bool {
    a.instructions == b.instructions && a.sets == b.sets
  }
}

/// One text being matched, range by range.
struct RegularExpressionRun {
  /// A way not yet tried: go on at `instruction` from `at`, then from every place before it down to `least`. A negative
  /// instruction puts the mark `-instruction - 1` back to `at`.
  private struct Choice { var instruction: Int, at: Int, least: Int }

  private let expression: RegularExpression
  private let text: [Unicode.Scalar]
  private var range = 0..<0
  private var choices: [Choice] = []
  private var marks: [Int]
  /// What is left of the text's budget: every range adds to it by its length.
  private var stepsLeft = 2_000_000
  /// Where the look behind that is being matched has to end.
  private var arrival = 0

  init(_ expression: RegularExpression, text: [Unicode.Scalar]) {
    self.expression = expression
    self.text = text
    marks = [Int](repeating: -1, count: expression.markCount)
  }

  /// Calls `body` for the matches of the text in `range`, see ``RegularExpression/matches(in:_:)``.
  mutating func forEachMatch(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
    self.range = range
    stepsLeft = max(stepsLeft, 0) + 200 * min(range.count, 1 << 40)
    var start = range.lowerBound
    var last = -1
    while start <= range.upperBound {
      guard let end = run(0, start) else {
        start = nextStart(after: start)
        continue
      }
      if end == start, last == start {
        start += 1
        continue
      }
      body(start..<end)
      (start, last) = (end, end)
    }
  }

  @inline(__always)
  private func isMember(_ scalar: Unicode.Scalar, of set: Int) -> Bool {
    let value = scalar.value
    if value < 128 { return expression.asciiBits[2 * set + Int(value >> 6)] >> UInt64(value & 63) & 1 == 1 }
    return expression.sets[set].contains(scalar)
  }

  /// Where to look next when no match begins at `start`. An expression that begins with as many of a set as there are
  /// cannot begin inside that run either, for it would end at the same places.
  private func nextStart(after start: Int) -> Int {
    guard case .repeatSet(let set, _, .max, _) = expression.instructions[0] else { return start + 1 }
    var at = start
    while at < range.upperBound, isMember(text[at], of: set) { at += 1 }
    return max(at, start + 1)
  }

  private mutating func run(_ first: Int, _ start: Int) -> Int? {
    let base = choices.count
    var instruction = first, at = start
    while true {
      stepsLeft -= 1
      if stepsLeft < 0 {
        choices.removeLast(choices.count - base)
        return nil
      }
      var isGood = true
      switch expression.instructions[instruction] {
      case .match:
        choices.removeLast(choices.count - base)
        return at
      case .arrive:
        isGood = at == arrival
        if isGood {
          choices.removeLast(choices.count - base)
          return at
        }
      case .set(let set):
        isGood = at < range.upperBound && isMember(text[at], of: set)
        at += 1
        instruction += 1
      case .repeatSet(let set, let atLeast, let atMost, let possessive):
        let room = range.upperBound - at
        let end = at + min(room, atMost)
        var stop = at
        while stop < end, isMember(text[stop], of: set) { stop += 1 }
        stepsLeft -= (stop - at) / 8
        isGood = stop - at >= atLeast
        instruction += 1
        if isGood, !possessive, stop - at > atLeast {
          choices.append(Choice(instruction: instruction, at: stop - 1, least: at + atLeast))
        }
        at = stop
      case .fork(let now, let later):
        choices.append(Choice(instruction: later, at: at, least: at))
        instruction = now
      case .jump(let place): instruction = place
      case .mark(let mark):
        choices.append(Choice(instruction: -mark - 1, at: marks[mark], least: 0))
        marks[mark] = at
        instruction += 1
      case .leaveIfStill(let mark, let exit): instruction = marks[mark] == at ? exit : instruction + 1
      case .look(let end, let behind, let negative):
        let found = behind.map { looksBehind(instruction + 1, at, $0) } ?? (run(instruction + 1, at) != nil)
        isGood = found != negative
        instruction = end
      case .atomic(let end):
        let stop = run(instruction + 1, at)
        isGood = stop != nil
        at = stop ?? at
        instruction = end
      case .assertion(let assertion):
        isGood = holds(assertion, at)
        instruction += 1
      }
      guard !isGood else { continue }
      // Back to the last way not yet tried.
      while true {
        guard choices.count > base else { return nil }
        let last = choices.count - 1
        if choices[last].instruction < 0 {
          marks[-choices[last].instruction - 1] = choices[last].at
          choices.removeLast()
          continue
        }
        (instruction, at) = (choices[last].instruction, choices[last].at)
        if at > choices[last].least { choices[last].at -= 1 } else { choices.removeLast() }
        break
      }
    }
  }

  private mutating func looksBehind(_ first: Int, _ at: Int, _ widths: ClosedRange<Int>) -> Bool {
    let saved = arrival
    defer { arrival = saved }
    arrival = at
    for width in widths where at - range.lowerBound >= width {
      if run(first, at - width) != nil { return true }
    }
    return false
  }

  private func holds(_ assertion: RegularExpressionNode.Assertion, _ at: Int) -> Bool {
    switch assertion {
    case .textStart: at == range.lowerBound
    case .textEnd: at == range.upperBound
    case .textEndOrLastBreak: at == range.upperBound || (at + 1 == range.upperBound && text[at] == "\n")
    case .lineStart: at == range.lowerBound || (text[at - 1] == "\n" && at < range.upperBound)
    case .lineEnd: at == range.upperBound || text[at] == "\n"
    case .wordBoundary: isWord(at - 1) != isWord(at)
    case .noWordBoundary: isWord(at - 1) == isWord(at)
    }
  }

  private func isWord(_ at: Int) -> Bool { range.contains(at) && Self.word.contains(text[at]) }
  private static let word = CompiledSet(.bareWord)
}
