/// A regular language: the texts that a pattern, a format, a range of lengths or a list allows, and their
/// intersections, unions and complements.
///
/// Lengths are counted in Unicode scalars, as JSON Schema counts them.
public struct RegularLanguage: Sendable {
  /// As ECMA-262 reads the patterns, which is what JSON Schema means.
  private var standard: ScalarAutomaton
  /// As Python and others read them, where that may matter. What is generated is in both.
  private var other: ScalarAutomaton?
  /// The pattern that it was made of, for the other reading when only a complement needs it.
  private var source: String?

  /// Of all texts of a list together.
  private static let mostCharacters = 200_000

  private init(_ standard: ScalarAutomaton, other: ScalarAutomaton? = nil) {
    self.standard = standard
    self.other = other
  }

  /// The texts in which a regular expression of ECMA-262 with the flag `u` has a match.
  /// - Throws: ``EngineError`` that names what is not supported or too large, and its position. The message is worded
  ///   to follow a name.
  public init(pattern: String) throws {
    let (automaton, parser) = try Self.automaton(of: pattern, .ecma)
    standard = automaton
    guard parser.dependsOnDialect else { return }
    if parser.isContested {
      other = try Self.automaton(of: pattern, .unicode).automaton
    } else {
      source = pattern
    }
  }

  private static func automaton(
    of pattern: String, _ dialect: RegularExpressionDialect
  ) throws -> (automaton: ScalarAutomaton, parser: RegularExpressionParser) {
    var parser = RegularExpressionParser(pattern, dialect: dialect)
    let program = try RegularExpressionProgram(searching: parser.parse())
    return (try RegularExpressionDeterminizer.automaton(of: program), parser)
  }

  /// The texts of a string format of JSON Schema; nil for an unknown name.
  public static func format(_ name: String) throws -> RegularLanguage? {
    try StringFormat.language(name)
  }

  /// All texts whose number of Unicode scalars is in a range.
  /// - Throws: ``EngineError`` if the upper bound is too large.
  public static func length(_ range: ClosedRange<Int>) throws -> RegularLanguage {
    try RegularLanguage(counting(max(0, range.lowerBound), max(0, range.upperBound)))
  }

  /// All texts of at least `minimum` Unicode scalars.
  /// - Throws: ``EngineError`` if the bound is too large.
  public static func length(atLeast minimum: Int) throws -> RegularLanguage {
    try RegularLanguage(counting(max(0, minimum), nil))
  }

  private static func counting(_ minimum: Int, _ maximum: Int?) throws -> ScalarAutomaton {
    let last = maximum ?? minimum
    guard last < ScalarAutomaton.mostStates else {
      throw EngineError("a length of \(last) is not supported; the maximum is \(ScalarAutomaton.mostStates - 1)")
    }
    var states = (0...last).map { count in
      ScalarAutomaton.State(edges: [.init(set: 0, target: count + 1)], isAccepting: count >= minimum)
    }
    states[last].edges = maximum == nil ? [.init(set: 0, target: last)] : []
    return ScalarAutomaton(states: states, sets: [.all])
  }

  /// Exactly the given texts.
  /// - Throws: ``EngineError`` if they have too many characters.
  public static func literals(_ texts: some Collection<String>) throws -> RegularLanguage {
    let characters = texts.reduce(0) { $0 + $1.unicodeScalars.count }
    guard characters <= mostCharacters else {
      throw EngineError(
        "excludes texts of \(characters) characters together; at most \(mostCharacters) are supported"
      )
    }
    try GrammarWork.spend(40 * characters)
    var sets = ScalarSetTable()
    var states = [ScalarAutomaton.State()]
    var path = [0]
    var last: [Unicode.Scalar] = []
    // In order, a text shares its beginning with the one before it.
    for text in texts.map({ Array($0.unicodeScalars) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      var shared = 0
      while shared < min(last.count, text.count), last[shared] == text[shared] { shared += 1 }
      path.removeLast(path.count - shared - 1)
      for scalar in text[shared...] {
        states[path[path.count - 1]].edges.append(
          .init(set: sets.number(of: ScalarSet(scalar)), target: states.count))
        path.append(states.count)
        states.append(ScalarAutomaton.State())
      }
      states[path[path.count - 1]].isAccepting = true
      last = text
    }
    return RegularLanguage(ScalarAutomaton(states: states, sets: sets.sets))
  }

  /// The intersection of both languages.
  /// - Throws: ``EngineError`` if the result would be too large.
  public func intersection(_ language: RegularLanguage) throws -> RegularLanguage {
    try combined(with: language) { try $0.intersection($1) }
  }

  /// The union of both languages.
  /// - Throws: ``EngineError`` if the result would be too large.
  public func union(_ language: RegularLanguage) throws -> RegularLanguage {
    try combined(with: language) { try $0.union($1) }
  }

  private func combined(
    with language: RegularLanguage, _ operation: (ScalarAutomaton, ScalarAutomaton) throws -> ScalarAutomaton
  ) throws -> RegularLanguage {
    let both = try operation(standard, language.standard)
    if other == nil, language.other == nil { return RegularLanguage(both) }
    return RegularLanguage(both, other: try operation(other ?? standard, language.other ?? language.standard))
  }

  /// The complement: all texts that are not in this language.
  /// - Throws: ``EngineError`` if the result would be too large.
  public func complement() throws -> RegularLanguage {
    let second = try source.map { try Self.automaton(of: $0, .unicode).automaton } ?? other
    return RegularLanguage(try standard.complement(), other: try second?.complement())
  }

  /// Whether the language is empty.
  public var isEmpty: Bool { standard.isEmpty }

  /// Whether a text belongs to the language. O(text).
  public func contains(_ text: String) -> Bool { standard.accepts(text) }

  /// The texts that are generated: those of both readings, or of the standard one where there are no others.
  private func generated() throws -> ScalarAutomaton {
    guard let other else { return standard }
    let both = try standard.intersection(other)
    return both.isEmpty ? standard : both
  }

  /// An expression for the texts of the language as JSON strings with quotes. Only characters that JSON requires to be
  /// escaped are escaped.
  /// - Throws: ``EngineError`` if the language is empty or the grammar becomes too large.
  public func jsonString(into grammar: inout Grammar) throws -> Grammar.Expression {
    guard !isEmpty else { throw EngineError("allows no text at all") }
    var writer = JSONStringGrammar(try generated())
    return try writer.expression(&grammar)
  }

  /// An expression for the texts of the language.
  /// - Throws: ``EngineError`` if the language is empty or the grammar becomes too large.
  public func text(into grammar: inout Grammar) throws -> Grammar.Expression {
    guard !isEmpty else { throw EngineError("allows no text at all") }
    var writer = JSONStringGrammar(try generated(), isPlain: true)
    return try writer.expression(&grammar)
  }
}
