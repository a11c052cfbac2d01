extension Grammar {
  /// Just these texts, byte by byte as they are; what they share at their beginnings is held once.
  /// - Throws: ``EngineError`` when the grammar becomes too large.
  public static func literals(_ texts: [String], into grammar: inout Grammar) throws -> Expression {
    .choice(texts.map { .literal($0) })
  }
}
