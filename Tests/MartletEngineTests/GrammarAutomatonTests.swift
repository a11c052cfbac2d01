import Testing

@testable import MartletEngine

struct GrammarAutomatonTests {
  /// `a` n times, then `b` n times, each level in two ways: 2^n readings.
  private func ambiguous() throws -> Grammar {
    try Grammar { grammar in
      let nest = try grammar.declare()
      let level = Grammar.Expression.sequence([.literal("a"), nest, .literal("b")])
      try grammar.define(nest, .choice([level, .sequence([.literal("a"), nest, .bytes("bc")]), .nothing]))
      return nest
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [0, 1, 3, 30, 120])
  func readingsThatShareStacksCostNoMore(depth: Int) throws {
    let grammar = try ambiguous()
    let text = String(repeating: "a", count: depth) + String(repeating: "b", count: depth)
    #expect(grammar.accepts(text))
    #expect(!grammar.accepts(text + "b") && !grammar.accepts("a" + text))
    #expect(grammar.accepts(String(text.dropLast()) + (depth > 0 ? "c" : "")))
  }

  /// Rules that begin with themselves, and sums of every kind, come to an end.
  @Test(.timeLimit(.minutes(1)))
  func rulesMayBeginWithThemselves() throws {
    let list = try Grammar { grammar in
      let list = try grammar.declare()
      try grammar.define(list, .choice([.sequence([list, .literal("+"), .literal("1")]), .literal("1"), list]))
      return list
    }
    #expect(list.accepts("1") && list.accepts("1+1+1"))
    #expect(!list.accepts("") && !list.accepts("1+") && !list.accepts("+1") && !list.accepts("2"))
    // Twice on both sides is too much, and says so before any text is followed.
    #expect(throws: EngineError.self) {
      try Grammar { grammar in
        let sum = try grammar.declare()
        try grammar.define(
          sum, .choice([.sequence([sum, .literal("+"), sum]), .literal("1"), .sequence([sum, sum])]))
        return sum
      }
    }
  }

  @Test func workForOneTokenIsBounded() throws {
    let grammar = try Grammar { _ in
      .choice((0..<500).map { .literal(String(repeating: "a", count: 50) + String($0)) })
    }
    let text = Array(repeating: UInt8(ascii: "a"), count: 40)
    let free = GrammarAutomaton(grammar)
    #expect(free.next(GrammarAutomaton.start, text) >= 0 && free.problem == nil)
    let bounded = GrammarAutomaton(grammar, mostWork: 5000)
    #expect(bounded.next(GrammarAutomaton.start, text) == GrammarAutomaton.dead)
    #expect(bounded.problem?.description.contains("too many parses") == true)
    // Each token has an account of its own.
    let stepwise = GrammarAutomaton(grammar, mostWork: 5000)
    var state = GrammarAutomaton.start
    for byte in text { state = stepwise.compact(keeping: stepwise.next(state, byte)) }
    #expect(state >= 0 && stepwise.problem == nil)
  }

  @Test func cancellationIsSeenInside() throws {
    let grammar = try Grammar { _ in .choice((0..<5000).map { .literal("\($0)") }) }
    let automaton = GrammarAutomaton(grammar, isCancelled: { true })
    #expect(automaton.problem != nil && automaton.next(GrammarAutomaton.start, 0x31) == GrammarAutomaton.dead)
  }

  /// What requires itself without end is left out; where nothing else is left, there is no grammar.
  @Test func endlessAlternativesAreLeftOut() throws {
    let grammar = try Grammar { grammar in
      let endless = try grammar.declare()
      try grammar.define(endless, .sequence([.literal("{"), endless, .literal("}")]))
      return .choice([
        .sequence([.literal("x"), endless]), .literal("xy"), .sequence([.literal("z"), .bytes(ByteSet())]),
      ])
    }
    #expect(grammar.accepts("xy"))
    let automaton = GrammarAutomaton(grammar)
    #expect(
      automaton.next(GrammarAutomaton.start, Array("x{".utf8)) < 0 && automaton.next(GrammarAutomaton.start, 0x7a) < 0)
    #expect(throws: EngineError.self) {
      try Grammar { grammar in
        let endless = try grammar.declare()
        try grammar.define(endless, .sequence([.literal("{"), endless]))
        return endless
      }
    }
    #expect(throws: EngineError.self) { try Grammar { _ in .choice([]) } }
  }

  /// Against a set of the same texts; every beginning leads on, and nothing else does.
  @Test func literalsAreTheirTexts() throws {
    var random = RandomStream(seed: 8)
    for count in [1, 2, 5, 60, 400] {
      let texts = (0..<count).map { _ in
        String((0..<Int.random(in: 0...6, using: &random)).map { _ in "abé字".randomElement(using: &random) ?? "a" })
      }
      let grammar = try Grammar { .sequence([.literal("<"), try Grammar.literals(texts, into: &$0), .literal(">")]) }
      let all = Set(texts)
      for _ in 0..<300 {
        let text = String(
          (0..<Int.random(in: 0...6, using: &random)).map { _ in "abé字".randomElement(using: &random) ?? "a" })
        #expect(grammar.accepts("<\(text)>") == all.contains(text), "\(text)")
      }
      for text in texts { #expect(grammar.accepts("<\(text)>")) }
    }
    let nested = (0...3000).map { String(repeating: "a", count: $0) }  // each the beginning of the next
    let grammar = try Grammar { try Grammar.literals(nested.shuffled(), into: &$0) }
    #expect(grammar.accepts("") && grammar.accepts(nested[3000]) && !grammar.accepts(nested[3000] + "a"))
    #expect(throws: EngineError.self) { try Grammar { try Grammar.literals([], into: &$0) } }
  }

  /// 100,000 texts in a tenth of a second, and no more memory than they have bytes.
  @Test(.timeLimit(.minutes(1)))
  func longListsAreCheap() throws {
    let texts = (0..<100_000).map { "\"value number \($0 &* 2_654_435_761 % 1_000_003)\"" }
    let clock = ContinuousClock()
    var grammar: Grammar?
    let time = try clock.measure {
      grammar = try Grammar { try Grammar.literals(texts, into: &$0) }
      #expect(grammar?.accepts(texts[12_345]) == true && grammar?.accepts("\"value number x\"") == false)
    }
    #expect(time < .seconds(5), "\(time)")
    #expect((grammar?.code.count ?? .max) < texts.reduce(0) { $0 + $1.utf8.count })
  }

  /// States are forgotten on the way, and the text goes on all the same.
  @Test func longTextsAreFollowedInLittleMemory() throws {
    let grammar = try Grammar.jsonObject()
    let automaton = GrammarAutomaton(grammar)
    var state = automaton.next(GrammarAutomaton.start, Array("{".utf8))
    for index in 0..<20_000 {
      let member = Array("\(index == 0 ? "" : ",")\"k\(index)\":[\(index % 7),{\"a\":\"é\"}]".utf8)
      state = automaton.compact(keeping: automaton.next(state, member))
      try #require(state >= 0)
    }
    #expect(automaton.isAccepting(automaton.next(state, Array("}".utf8))) && automaton.problem == nil)
  }
}
