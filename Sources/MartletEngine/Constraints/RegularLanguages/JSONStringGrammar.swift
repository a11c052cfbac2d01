/// Writes an automaton's texts into a grammar as JSON strings, or as they are: a rule for each state, right to left
/// without end.
struct JSONStringGrammar {
  typealias Expression = Grammar.Expression

  private let automaton: ScalarAutomaton
  /// Without quotes and escapes.
  private let isPlain: Bool
  /// By set of scalars.
  private var characters: [Int: Expression] = [:]

  init(_ automaton: ScalarAutomaton, isPlain: Bool = false) {
    self.automaton = automaton
    self.isPlain = isPlain
  }

  mutating func expression(_ grammar: inout Grammar) throws -> Expression {
    let rules = try automaton.states.map { _ in try grammar.declare() }
    for (rule, state) in zip(rules, automaton.states) {
      try GrammarWork.spend(10 + 10 * state.edges.count)
      var choices = try state.edges.map { edge in
        Expression.sequence([try character(edge.set, &grammar), rules[edge.target]])
      }
      if state.isAccepting { choices.append(isPlain ? .nothing : .literal("\"")) }
      try grammar.define(rule, .choice(choices))
    }
    return isPlain ? rules[0] : .sequence([.literal("\""), rules[0]])
  }

  private mutating func character(_ set: Int, _ grammar: inout Grammar) throws -> Expression {
    if let known = characters[set] { return known }
    try GrammarWork.spend(400 + 20 * automaton.sets[set].ranges.count)
    var expression = Self.character(of: automaton.sets[set], isPlain: isPlain)
    if case .bytes = expression {} else { expression = try grammar.named(expression) }
    characters[set] = expression
    return expression
  }

  /// One scalar of a set, as it stands in a JSON string, or as it is.
  static func character(of set: ScalarSet, isPlain: Bool = false) -> Expression {
    var plain = ByteSet()
    var short = ByteSet()
    var controls: [[UInt8]: ByteSet] = [:]  // last digits by the one before them
    let letters: [UInt32: String] = [
      0x22: "\"", 0x5c: "\\", 0x08: "b", 0x09: "t", 0x0a: "n", 0x0c: "f", 0x0d: "r",
    ]
    let digits = Array("0123456789abcdef".utf8)
    for value in UInt32(0)...0x7f where set.contains(value) {
      if isPlain {
        plain.insert(UInt8(value))
        continue
      }
      if let letter = letters[value] { short = short.union(ByteSet(of: letter)) }
      if value < 0x20 || value == 0x7f {
        controls[[digits[Int(value >> 4)]], default: ByteSet()].insert(digits[Int(value & 15)])
      } else if letters[value] == nil {
        plain.insert(UInt8(value))
      }
    }
    var choices: [Expression] = plain.isEmpty ? [] : [.bytes(plain)]
    if !short.isEmpty { choices.append(.sequence([.literal("\\"), .bytes(short)])) }
    for (first, second) in controls.sorted(by: { $0.key[0] < $1.key[0] }) {
      choices.append(.sequence([.literal("\\u00"), .bytes(ByteSet(first[0])), .bytes(second)]))
    }
    // UTF-8: the bits of the first byte, its mark, the bits behind it.
    for (range, mark, bits) in [
      (0x80...0x7ff, 0xc0, 6), (0x800...0xffff, 0xe0, 12), (0x10000...0x10ffff, 0xf0, 18),
    ] as [(ClosedRange<UInt32>, UInt8, Int)] {
      let part = set.intersection(ScalarSet([range]))
      choices += tails(part.ranges, mark: mark, bits: bits)
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  /// The bytes of values: the first has `mark` and what lies above `bits`, the others six bits each.
  private static func tails(_ ranges: [ClosedRange<UInt32>], mark: UInt8, bits: Int) -> [Expression] {
    // First bytes with the same values behind them go together.
    var firsts: [[ClosedRange<UInt32>]: ByteSet] = [:]
    var rest: [UInt32: [ClosedRange<UInt32>]] = [:]
    let all: UInt32 = 1 << UInt32(bits) - 1
    for range in ranges {
      for lead in range.lowerBound >> UInt32(bits)...range.upperBound >> UInt32(bits) {
        let block = lead << UInt32(bits)...lead << UInt32(bits) | all
        let part = range.clamped(to: block)
        rest[lead, default: []].append(part.lowerBound & all...part.upperBound & all)
      }
    }
    for (lead, ranges) in rest { firsts[ranges, default: ByteSet()].insert(mark | UInt8(lead)) }
    return firsts.sorted { $0.key.first?.lowerBound ?? 0 < $1.key.first?.lowerBound ?? 0 }.map { ranges, bytes in
      guard bits > 0 else { return .bytes(bytes) }
      let behind = tails(ranges, mark: 0x80, bits: bits - 6)
      return .sequence([.bytes(bytes), behind.count == 1 ? behind[0] : .choice(behind)])
    }
  }
}
