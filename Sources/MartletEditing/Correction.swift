/// A wrong answer put right.
public struct Correction: Sendable, Equatable {
  /// The question that the model answers wrongly.
  public var prompt: String
  /// The answer that it should give.
  public var answer: String
  /// What the prompt is about, in its own words; nil reads it from the prompt.
  public var subject: String?
  /// Other names of the subject.
  public var aliases: [String] = []
  /// The same question in other words.
  public var rewordings: [String] = []
  /// How many rewordings the model may try to write itself; those that stray are dropped.
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
          "the \(name) holds the control character U+\(String(repeating: "0", count: 4 - code.count))\(code); leave it out"
        )
      }
    }
  }
}

/// What became of a correction.
public enum EditOutcome: Sendable {
  /// The edit was learned and is in force.
  case made(Edit)
  /// The model says so by itself: nothing was changed.
  case alreadyRight
  /// This very edit is in force.
  case duplicate(Edit)
}
