/// A set of byte values.
public struct ByteSet: Sendable, Hashable {
  private var words: SIMD4<UInt64> = .zero

  /// The empty set.
  public init() {}
  /// A set of one byte.
  public init(_ byte: UInt8) { insert(byte) }
  /// The set of all bytes of a range.
  public init(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }
  /// The set of the bytes that occur in a text.
  public init(of text: String) { for byte in text.utf8 { insert(byte) } }

  /// Adds a byte.
  public mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  /// Whether a byte is in the set.
  public func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
  /// The union of both sets.
  public func union(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words |= other.words
    return result
  }
  /// The intersection of both sets.
  public func intersection(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words &= other.words
    return result
  }
  /// The bytes of this set that are not in the other.
  public func subtracting(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words &= ~other.words
    return result
  }
  /// Whether the set is empty.
  public var isEmpty: Bool { words == .zero }
}

/// A context-free grammar over bytes that constrains a generated text. Its language is never empty.
public struct Grammar: Sendable {
  /// An expression of the grammar.
  public indirect enum Expression: Sendable {
    /// One byte of a set.
    case bytes(ByteSet)
    /// A concatenation of expressions.
    case sequence([Expression])
    /// A choice between expressions.
    case choice([Expression])
    /// A repetition of at least `minimum` and at most `maximum` times (nil: unlimited).
    case repeated(Expression, minimum: Int, maximum: Int?)
    /// A rule that ``Grammar/declare()`` returned.
    case rule(Int)

    /// An expression for exactly one text.
    public static func literal(_ text: String) -> Expression { .sequence(text.utf8.map { .bytes(ByteSet($0)) }) }
    /// The empty text.
    public static let nothing = Expression.sequence([])
    /// An expression for a part or the empty text.
    public static func optional(_ part: Expression) -> Expression { .choice([part, nothing]) }
  }

  /// One place of an alternative: ``end``, the number of a set of bytes (above it), or `~` of a rule's number (below).
  typealias Symbol = Int32
  static let end: Symbol = 0

  /// All alternatives of all rules, one after the other, each with an ``end`` behind it. Shared by all copies.
  private(set) var code: [Symbol] = []
  /// Sets of bytes by number; the first is that of ``end``.
  private(set) var sets = [ByteSet()]
  private var setNumbers: [ByteSet: Symbol] = [:]
  /// Where in `code` the alternatives of rules begin; those of a rule stand together.
  private var starts: [Int32] = []
  private var rules: [Range<Int32>] = [0..<0]
  /// Bytes that no set tells apart have the same class.
  private(set) var byteClasses = ByteClasses([])

  /// More would make a request expensive.
  private static let mostRules = 200_000
  private static let mostSymbols = 8_000_000
  private static let mostRepeats = 20_000

  /// Builds a grammar: `build` defines the rules and returns the start expression.
  /// - Throws: ``EngineError`` if the grammar is too large, too ambiguous, or has an empty language;
  ///   ``GrammarWorkExceeded`` if it takes too much work.
  public init(_ build: (inout Grammar) throws -> Expression) throws {
    guard GrammarWork.current == nil else {
      try self.init(adding: build)
      return
    }
    self = try GrammarWork.$current.withValue(GrammarWork()) { try Grammar(adding: build) }
  }

  private init(adding build: (inout Grammar) throws -> Expression) throws {
    let start = try build(&self)
    rules[0] = try alternatives(start)
    guard try removeEndlessAlternatives() else {
      throw EngineError("no text is allowed; a part refers to itself without end, or allows no value")
    }
    try GrammarWork.spend(40 * sets.count)
    byteClasses = ByteClasses(sets)
    if let problem = GrammarAutomaton(self).problem { throw problem }
  }

  /// The first is where texts start.
  var ruleCount: Int { rules.count }

  /// Where the alternatives of a rule begin in `code`.
  func alternatives(of rule: Int) -> ArraySlice<Int32> {
    starts[Int(rules[rule].lowerBound)..<Int(rules[rule].upperBound)]
  }

  /// Declares a rule that ``define(_:_:)`` defines later, so that rules can refer to each other.
  public mutating func declare() throws -> Expression { .rule(~Int(try newRule())) }

  /// Defines a rule that ``declare()`` returned.
  public mutating func define(_ rule: Expression, _ expression: Expression) throws {
    guard case .rule(let index) = rule else { return }
    rules[index] = try alternatives(expression)
  }

  /// Adds a rule for an expression that is used in several places.
  public mutating func named(_ expression: Expression) throws -> Expression {
    let rule = try declare()
    try define(rule, expression)
    return rule
  }

  // MARK: writing rules

  private mutating func newRule() throws -> Symbol {
    guard rules.count < Self.mostRules else {
      throw EngineError("the grammar needs more than \(Self.mostRules) rules; make the schema smaller")
    }
    try GrammarWork.spend(4)
    rules.append(0..<0)
    return ~Symbol(rules.count - 1)
  }

  private mutating func rule(of alternatives: [[Symbol]]) throws -> Symbol {
    let rule = try newRule()
    rules[Int(~rule)] = try write(alternatives)
    return rule
  }

  private mutating func write(_ alternatives: [[Symbol]]) throws -> Range<Int32> {
    let first = Int32(starts.count)
    for symbols in alternatives { starts.append(try write(symbols[...], then: nil)) }
    return first..<Int32(starts.count)
  }

  /// One alternative behind all others; where it begins.
  private mutating func write(_ symbols: some Collection<Symbol>, then rule: Symbol?) throws -> Int32 {
    guard code.count + symbols.count + 2 <= Self.mostSymbols else {
      throw EngineError("the grammar needs more than \(Self.mostSymbols) symbols; make the schema smaller")
    }
    try GrammarWork.spend(2 + symbols.count)
    let start = Int32(code.count)
    code += symbols
    if let rule { code.append(rule) }
    code.append(Self.end)
    return start
  }

  private mutating func symbol(_ set: ByteSet) -> Symbol {
    if let number = setNumbers[set] { return number }
    let number = Symbol(sets.count)
    setNumbers[set] = number
    sets.append(set)
    return number
  }

  private mutating func alternatives(_ expression: Expression) throws -> Range<Int32> {
    func parts(_ expression: Expression) -> [Expression] {
      if case .choice(let choices) = expression { choices.flatMap(parts) } else { [expression] }
    }
    return try write(parts(expression).map { try symbols($0) })
  }

  private mutating func symbols(_ expression: Expression) throws -> [Symbol] {
    switch expression {
    case .bytes(let set): return [symbol(set)]
    case .rule(let index): return [~Symbol(index)]
    case .sequence(let parts):
      var result: [Symbol] = []
      for part in parts { result += try symbols(part) }
      return result
    case .choice:
      let rule = try newRule()
      rules[Int(~rule)] = try alternatives(expression)
      return [rule]
    case .repeated(let part, let minimum, let maximum):
      guard max(minimum, maximum ?? 0) <= Self.mostRepeats else {
        throw EngineError(
          "a part is repeated \(max(minimum, maximum ?? 0)) times; at most \(Self.mostRepeats) repetitions are supported"
        )
      }
      let symbols = try symbols(part)
      let part = symbols.count == 1 ? symbols[0] : try rule(of: [symbols])
      let head = [Symbol](repeating: part, count: max(0, minimum))
      guard let maximum else {
        let rule = try newRule()
        rules[Int(~rule)] = try write([[part, rule], []])
        return head + [rule]
      }
      // Nested from the right: each further one is optional, and needs the one before it.
      var rest: [Symbol] = []
      for _ in minimum..<max(minimum, maximum) { rest = [try rule(of: [[part] + rest, []])] }
      return head + rest
    }
  }

  // MARK: what a whole grammar needs

  /// The same grammar without the texts that hold other bytes.
  /// - Throws: ``EngineError`` where there is no other text.
  func restricted(to bytes: ByteSet) throws -> Grammar {
    let lost = sets.reduce(ByteSet()) { $0.union($1) }.subtracting(bytes)
    if lost.isEmpty { return self }
    var result = self
    result.sets = sets.map { $0.intersection(bytes) }
    guard try result.removeEndlessAlternatives() else {
      let names = (UInt8.min...UInt8.max).filter(lost.contains).map {
        "0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16)
      }
      throw EngineError(
        "no allowed text can be generated, because the vocabulary of this model has no token with the \(names.count == 1 ? "byte" : "bytes") "
          + "\(names.prefix(8).joined(separator: ", ")); allow other characters, or use another model")
    }
    result.byteClasses = ByteClasses(result.sets)
    return result
  }

  /// Leaves out what can never come to an end (an object that must hold one of its own kind), so that no text runs into it.
  /// - Returns: false where the whole grammar cannot.
  private mutating func removeEndlessAlternatives() throws -> Bool {
    try GrammarWork.spend(2 * code.count + 8 * starts.count)
    // By alternative: how many of its rules are not known to end; by rule: where it is named.
    var open = [Int32](repeating: 0, count: starts.count)
    var owners = [Int32](repeating: 0, count: starts.count)
    var uses = [[Int32]](repeating: [], count: rules.count)
    var ending: [Int] = []
    var ends = [Bool](repeating: false, count: rules.count)
    for (rule, range) in rules.enumerated() {
      for alternative in range {
        owners[Int(alternative)] = Int32(rule)
        var place = Int(starts[Int(alternative)])
        while code[place] != Self.end {
          if code[place] < 0 { uses[Int(~code[place])].append(alternative) }
          if code[place] < 0 || sets[Int(code[place])].isEmpty { open[Int(alternative)] += 1 }
          place += 1
        }
        if open[Int(alternative)] == 0, !ends[rule] {
          ends[rule] = true
          ending.append(rule)
        }
      }
    }
    while let rule = ending.popLast() {
      for alternative in uses[rule] {
        open[Int(alternative)] -= 1
        let owner = Int(owners[Int(alternative)])
        if open[Int(alternative)] == 0, !ends[owner] {
          ends[owner] = true
          ending.append(owner)
        }
      }
    }
    guard ends[0] else { return false }
    guard open.contains(where: { $0 > 0 }) else { return true }
    var kept: [Int32] = []
    for (rule, range) in rules.enumerated() {
      let first = Int32(kept.count)
      kept += range.filter { open[Int($0)] == 0 }.map { starts[Int($0)] }
      rules[rule] = first..<Int32(kept.count)
    }
    starts = kept
    return true
  }
}

/// Bytes in classes that some sets do not tell apart.
struct ByteClasses: Sendable {
  private(set) var classes = [UInt8](repeating: 0, count: 256)
  private(set) var count = 1

  init(_ sets: [ByteSet]) {
    for set in sets {
      var renamed = [Int](repeating: -1, count: count)
      var sizes = [Int](repeating: 0, count: count)
      for byte in 0..<256 { sizes[Int(classes[byte])] += 1 }
      for byte in 0..<256 where set.contains(UInt8(byte)) { sizes[Int(classes[byte])] -= 1 }
      for byte in 0..<256 where set.contains(UInt8(byte)) {
        let old = Int(classes[byte])
        // A class that lies inside as a whole stays.
        guard sizes[old] > 0 else { continue }
        if renamed[old] < 0 {
          renamed[old] = count
          count += 1
        }
        classes[byte] = UInt8(renamed[old])
      }
    }
  }
}

extension Grammar {
  /// An expression for exactly the given texts. Common prefixes are stored once.
  ///
  /// Time and memory are proportional to the total number of bytes.
  /// - Throws: ``EngineError`` if the grammar becomes too large.
  public static func literals(_ texts: [String], into grammar: inout Grammar) throws -> Expression {
    // A place where texts part, and the alternatives there that are whole already.
    struct Fork {
      let depth: Int
      var starts: [Int32] = []
    }
    // Sorting them takes most of it: some comparisons a text, and of its bytes a copy and a look.
    let byteCount = texts.reduce(0) { $0 + $1.utf8.count }
    try GrammarWork.spend(20 * texts.count + 2 * byteCount)
    let single = (UInt8.min...UInt8.max).map { grammar.symbol(ByteSet($0)) }
    // In order, a text parts from the one before it where it parts from all others.
    let texts = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    var forks = [Fork(depth: 0)]
    // What hangs below the innermost fork: a text from there down to a depth, and the rule behind it.
    var last: (text: [UInt8], depth: Int, rule: Symbol?)?
    func hang() throws {
      guard let part = last else { return }
      let from = forks[forks.count - 1].depth
      let symbols = part.text[from..<part.depth].lazy.map { single[Int($0)] }
      forks[forks.count - 1].starts.append(try grammar.write(symbols, then: part.rule))
    }
    func close() throws -> Symbol {
      try hang()
      let fork = forks.removeLast()
      let rule = try grammar.newRule()
      let first = Int32(grammar.starts.count)
      grammar.starts += fork.starts
      grammar.rules[Int(~rule)] = first..<Int32(grammar.starts.count)
      return rule
    }
    for text in texts {
      if let before = last?.text {
        var shared = 0
        while shared < min(before.count, text.count), before[shared] == text[shared] { shared += 1 }
        if shared == text.count, shared == before.count { continue }
        while let depth = forks.last?.depth, depth > shared { last = (before, depth, try close()) }
        if forks[forks.count - 1].depth < shared { forks.append(Fork(depth: shared)) }
        try hang()
      }
      last = (text, text.count, nil)
    }
    while forks.count > 1, let text = last?.text, let depth = forks.last?.depth { last = (text, depth, try close()) }
    return .rule(Int(~(try close())))
  }
}

extension Grammar.Expression {
  /// An expression for one of the bytes that occur in a text.
  public static func bytes(_ text: String) -> Grammar.Expression { .bytes(ByteSet(of: text)) }
  /// An expression for one byte of a range.
  public static func range(_ range: ClosedRange<UInt8>) -> Grammar.Expression { .bytes(ByteSet(range)) }

  /// An expression for any character in UTF-8 except those in `excluded`, which must be ASCII.
  public static func character(except excluded: ByteSet = ByteSet()) -> Grammar.Expression {
    let more = Grammar.Expression.range(0x80...0xbf)
    return .choice([
      .bytes(ByteSet(0...0x7f).subtracting(excluded)),
      .sequence([.range(0xc2...0xdf), more]),
      .sequence([.range(0xe0...0xe0), .range(0xa0...0xbf), more]),
      .sequence([.bytes(ByteSet(0xe1...0xec).union(ByteSet(0xee...0xef))), more, more]),
      .sequence([.range(0xed...0xed), .range(0x80...0x9f), more]),
      .sequence([.range(0xf0...0xf0), .range(0x90...0xbf), more, more]),
      .sequence([.range(0xf1...0xf3), more, more, more]),
      .sequence([.range(0xf4...0xf4), .range(0x80...0x8f), more, more]),
    ])
  }
}
