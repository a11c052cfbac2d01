/// A regular expression that a whole name must match, as settings of other programs use them to pick parts of a model.
/// The work it may take is bounded, whatever the expression.
package struct NamePattern: Sendable {
  private let expression: RegularExpression

  /// - Throws: a problem in words where the expression is not understood.
  package init(_ expression: String) throws(NamePatternError) {
    do {
      self.expression = try RegularExpression("\\A(?:\(expression))\\z")
    } catch let error as RegularExpressionError {
      throw NamePatternError(problem: error.problem)
    } catch {
      throw NamePatternError(problem: "\(error)")
    }
  }

  package func matches(_ name: String) -> Bool {
    let text = Array(name.unicodeScalars)
    return !expression.matches(in: text, 0..<text.count).isEmpty
  }
}

/// Why a pattern of names is not understood.
package struct NamePatternError: Error {
  package let problem: String
}
