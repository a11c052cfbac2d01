/// A set of byte values.
public struct ByteSet: Sendable, Hashable {
  private var words: SIMD4<UInt64> = .zero

  public init() {}
  public init(_ byte: UInt8) { insert(byte) }
  public init(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }
  public init(of text: String) { for byte in text.utf8 { insert(byte) } }

  public mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  public func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
  public func union(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words |= other.words
    return result
  }
  public func subtracting(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words &= ~other.words
    return result
  }
  public var isEmpty: Bool { words == .zero }
}

/// A context-free grammar over bytes: what a generated text may be.
public struct Grammar: Sendable {
  /// What may stand at one place.
  public indirect enum Expression: Sendable {
    case bytes(ByteSet)
    case sequence([Expression])
    case choice([Expression])
    /// At least `minimum` times, at most `maximum` (nil: without end).
    case repeated(Expression, minimum: Int, maximum: Int?)
    case rule(Int)

    public static func literal(_ text: String) -> Expression { .sequence(text.utf8.map { .bytes(ByteSet($0)) }) }
    public static let nothing = Expression.sequence([])
    public static func optional(_ part: Expression) -> Expression { .choice([part, nothing]) }
  }

  enum Symbol: Sendable {
    case bytes(ByteSet)
    case rule(Int)
  }

  /// The alternatives of every rule; rule 0 is where a text starts.
  private(set) var rules: [[[Symbol]]] = [[]]
  /// More would make a request expensive.
  private static let mostRules = 20_000

  /// - Throws: ``EngineError`` when the grammar is too large.
  public init(_ build: (inout Grammar) throws -> Expression) throws {
    let start = try build(&self)
    rules[0] = try alternatives(start)
  }

  /// A rule whose meaning ``define(_:_:)`` gives later, so that rules can name each other.
  public mutating func declare() throws -> Expression {
    guard rules.count < Self.mostRules else {
      throw EngineError("the grammar needs more than \(Self.mostRules) rules; make the schema smaller")
    }
    rules.append([])
    return .rule(rules.count - 1)
  }

  public mutating func define(_ rule: Expression, _ expression: Expression) throws {
    guard case .rule(let index) = rule else { return }
    rules[index] = try alternatives(expression)
  }

  /// A rule of its own for an expression that is used in several places.
  public mutating func named(_ expression: Expression) throws -> Expression {
    let rule = try declare()
    try define(rule, expression)
    return rule
  }

  private mutating func alternatives(_ expression: Expression) throws -> [[Symbol]] {
    if case .choice(let parts) = expression { return try parts.flatMap { try alternatives($0) } }
    return [try symbols(expression)]
  }

  private mutating func symbols(_ expression: Expression) throws -> [Symbol] {
    switch expression {
    case .bytes(let set): return [.bytes(set)]
    case .rule(let index): return [.rule(index)]
    case .sequence(let parts): return try parts.flatMap { try symbols($0) }
    case .choice:
      guard case .rule(let index) = try named(expression) else { return [] }
      return [.rule(index)]
    case .repeated(let part, let minimum, let maximum):
      let part = try single(part)
      let head = [Symbol](repeating: part, count: minimum)
      guard let maximum else {
        let rule = try declare()
        guard case .rule(let index) = rule else { return [] }
        rules[index] = [[part, .rule(index)], []]
        return head + [.rule(index)]
      }
      // Nested from the right: each further one is optional, and needs the one before it.
      var rest: [Symbol] = []
      for _ in minimum..<max(minimum, maximum) {
        guard case .rule(let index) = try declare() else { return [] }
        rules[index] = [[part] + rest, []]
        rest = [.rule(index)]
      }
      guard head.count <= Self.mostRules else {
        throw EngineError("something is repeated \(minimum) times; at most \(Self.mostRules) can be asked for")
      }
      return head + rest
    }
  }

  private mutating func single(_ expression: Expression) throws -> Symbol {
    let symbols = try symbols(expression)
    if symbols.count == 1 { return symbols[0] }
    guard case .rule(let index) = try declare() else { return .rule(0) }
    rules[index] = [symbols]
    return .rule(index)
  }
}

extension Grammar.Expression {
  public static func bytes(_ text: String) -> Grammar.Expression { .bytes(ByteSet(of: text)) }
  public static func range(_ range: ClosedRange<UInt8>) -> Grammar.Expression { .bytes(ByteSet(range)) }

  /// Any character in UTF-8 but those of `excluded`, which are ASCII.
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
