import Foundation

// What a template does with answers is found by writing small conversations with it.
extension ChatFormat {
  /// A format that is written by a template.
  /// - Throws: ``TemplateError`` when the template does not write a plain question, or uses what Martlet does not do.
  init(_ kind: Kind?, _ source: Source, _ template: ChatTemplate) throws {
    let user = ChatMessage(.user, "a"), answer = ChatMessage(.assistant, "b"), next = ChatMessage(.user, "c")
    let system = ChatMessage(.system, "d")
    let asked = try template.render([user], asksForAnswer: true)
    guard asked.range(ofMessage: 0) != nil else {
      throw TemplateError.notUnderstood(line: 1, "it leaves out the messages of the user")
    }
    func attempt(_ messages: [ChatMessage], asksForAnswer: Bool) throws -> MarkedText? {
      do {
        return try template.render(messages, asksForAnswer: asksForAnswer)
      } catch TemplateError.notUnderstood(let line, let what) {
        throw TemplateError.notUnderstood(line: line, what)
      } catch {
        return nil  // Refused by the template itself, which may be its right.
      }
    }
    _ = try attempt([system, user], asksForAnswer: true)
    _ = try attempt([system, user, answer, next], asksForAnswer: true)
    let answered = try attempt([user, answer], asksForAnswer: false)
    let goesOn = try attempt([user, answer, next], asksForAnswer: true)

    var lead = ""
    if let answered, let content = answered.range(ofMessage: 1), content.lowerBound >= asked.units.count,
      answered.hasPrefix(asked)
    {
      let gap = answered.units[asked.units.count..<content.lowerBound]
      if gap.allSatisfy(MarkedText.isSpace) { lead = MarkedText.string(gap) }
    }
    // Behind an answer: to the conversation's end, and to the next question.
    let last = answered.flatMap { text in
      text.range(ofMessage: 1).map { MarkedText(units: Array(text.units[$0.upperBound...])) }
    }
    let between = goesOn.flatMap { text -> MarkedText? in
      guard let answer = text.range(ofMessage: 1), let next = text.range(ofMessage: 2),
        answer.upperBound <= next.lowerBound
      else { return nil }
      return MarkedText(units: Array(text.units[answer.upperBound..<next.lowerBound]))
    }
    self.init(
      kind, source, .template(template), stops: Self.stops(between ?? last), answerLead: lead,
      answerEnd: Self.end(last ?? between, between ?? last))
  }

  /// A control token behind answers stops them, else the words in front of the next question.
  private static func stops(_ tail: MarkedText?) -> [String] {
    guard let tail else { return [] }
    for case .control(let name) in pieces(tail) { return [name] }
    let words = tail.stripped().string
    return words.isEmpty ? [] : [words]
  }

  /// What stands behind every answer, whatever follows: to the first control token, which ends it.
  private static func end(_ last: MarkedText?, _ between: MarkedText?) -> [Piece] {
    guard let last, let between else { return [] }
    var end: [Piece] = []
    for (one, other) in zip(pieces(last), pieces(between)) {
      if one == other {
        end.append(one)
        if case .control = one { return end }
      } else {
        if case .text(let one) = one, case .text(let other) = other {
          let blank = one.commonPrefix(with: other).prefix { $0.isWhitespace }
          if !blank.isEmpty { end.append(.text(String(blank))) }
        }
        break
      }
    }
    return end
  }
}
