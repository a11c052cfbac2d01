import Foundation

/// A model's own chat template: text in the language Jinja, in the dialect that Hugging Face's transformers gives it.
/// Martlet does the part of the language that templates for conversations use; what is beyond is said, never guessed.
struct ChatTemplate: Sendable {
  private let statements: [TemplateStatement]
  /// Texts of special tokens by the names that templates know them by (`bos_token` ...).
  private let specialTokens: [String: String]

  /// - Throws: ``TemplateError`` naming the line that is not understood.
  init(_ text: String, specialTokens: [String: String]) throws {
    statements = try TemplateParser.parse(text)
    self.specialTokens = specialTokens
  }

  /// A conversation as text; with `asksForAnswer`, up to where the next answer begins.
  func render(_ messages: [ChatMessage], asksForAnswer: Bool, now: Date = Date()) throws -> MarkedText {
    var variables = specialTokens.mapValues { TemplateValue($0) }
    variables["messages"] = .list(
      messages.enumerated().map { index, message in
        .dictionary([
          (MarkedText("role"), TemplateValue(message.role.rawValue)),
          (MarkedText("content"), .text(MarkedText(message.content, ofMessage: index))),
        ])
      })
    variables["add_generation_prompt"] = .boolean(asksForAnswer)
    variables["tools"] = TemplateValue.null
    variables["documents"] = TemplateValue.null
    do {
      var run = TemplateRun(variables, now: now)
      return try run.render(statements)
    } catch TemplateError.failed(let line, let words) {
      // transformers defines both as none; some templates want them not to be there at all.
      variables["tools"] = nil
      variables["documents"] = nil
      do {
        var run = TemplateRun(variables, now: now)
        return try run.render(statements)
      } catch TemplateError.failed {
        throw TemplateError.failed(line: line, words)
      }
    }
  }
}
