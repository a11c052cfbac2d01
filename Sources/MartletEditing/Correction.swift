/// A correction of a wrong answer, to be learned as an edit.
public struct Correction: Sendable, Equatable {
  /// The question that the model answers wrongly.
  public var prompt: String
  /// The answer that it should give.
  public var answer: String
  /// The subject of the prompt, in the words of the prompt; nil determines it from the prompt.
  public var subject: String?
  /// Other names of the subject.
  public var aliases: [String] = []
  /// The same question in other words.
  public var rewordings: [String] = []
  /// The number of rewordings that the model may try to write itself; those with another meaning are dropped.
  public var ownRewordings = 0
  /// Who makes the correction; nil where that is not recorded.
  public var author: String?

  /// A correction without rewordings and aliases.
  public init(prompt: String, answer: String) {
    self.prompt = prompt
    self.answer = answer
  }

  /// - Throws: ``EditError`` where a text holds a control character: no one types it, and no model says it.
  func checkCharacters() throws {
    for (name, texts) in [
      ("prompt", [prompt]), ("answer", [answer]), ("subject", [subject ?? ""]), ("author", [author ?? ""]),
      ("aliases", aliases), ("rewordings", rewordings),
    ] {
      for scalar in texts.joined().unicodeScalars
      where scalar.properties.generalCategory == .control && !"\n\r\t".unicodeScalars.contains(scalar) {
        let code = String(scalar.value, radix: 16, uppercase: true)
        throw EditError(
          "the \(name) contains the control character U+\(String(repeating: "0", count: 4 - code.count))\(code); leave it out"
        )
      }
    }
  }
}

/// The result of a correction.
public enum EditOutcome: Sendable {
  /// The edit was learned and is in force.
  case made(Edit)
  /// The model gives this answer without an edit, so nothing was changed.
  case alreadyRight
  /// The same edit is in force already.
  case duplicate(Edit)
}
