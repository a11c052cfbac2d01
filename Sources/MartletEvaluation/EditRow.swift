import Foundation
import MartletData

/// One row of a benchmark of edits, with questions to evaluate the edit.
public struct EditRow: Sendable, Equatable {
  /// The identifier that the file gives, or the line number.
  public var id: String
  /// The question that is edited.
  public var prompt: String
  /// The new answer.
  public var answer: String
  /// The subject of the question, if the set provides it.
  public var subject: String?
  /// The same question in other words, or about the same thing under another name.
  public var rewordings: [String] = []
  /// Other questions about the same or a similar subject, whose answers must not change.
  public var neighbours: [String] = []

  /// A row without rewordings and neighbours.
  public init(id: String, prompt: String, answer: String, subject: String? = nil) {
    self.id = id
    self.prompt = prompt
    self.answer = answer
    self.subject = subject
  }

  /// Reads the rows of a JSONL file (or .jsonl.gz) with the fields of zsRE, CounterFact, KnowEdit's Wikidata sets, or
  /// plain `{"prompt", "answer", "rephrase", "near"}`.
  /// - Throws: `FileError` that names the line that is wrong.
  public static func read(_ path: String) throws -> [EditRow] {
    try JSONLines.read(path).map { line in
      let object = line.value
      func text(_ names: String...) -> String? { names.lazy.compactMap { object[$0]?.string }.first }
      guard let prompt = text("prompt", "question"), let answer = text("target_new", "answer", "target") else {
        throw line.failure("it has no prompt and answer; a row is {\"prompt\": …, \"answer\": …}")
      }
      var row = EditRow(id: text("id") ?? "\(line.number)", prompt: prompt, answer: answer, subject: text("subject"))
      row.rewordings = text("rephrase").map { [$0] } ?? []
      row.rewordings += prompts(object["portability"]?["Subject_Aliasing"])
      row.neighbours = (text("loc_prompt", "near").map { [$0] } ?? []) + prompts(object["loc"])
      row.neighbours += prompts(object["locality"]?["Relation_Specificity"])
      return row
    }
  }

  /// Reads texts, one `{"text": …}` per line.
  /// - Throws: `FileError` that names the line that is wrong.
  public static func texts(_ path: String) throws -> [String] {
    try JSONLines.read(path).map { line in
      guard let text = line.value["text"]?.string else {
        throw line.failure("it has no text; a row is {\"text\": …}")
      }
      return text
    }
  }

  private static func prompts(_ value: JSONValue?) -> [String] {
    guard case .array(let items)? = value else { return [] }
    return items.compactMap { $0["prompt"]?.string }
  }

  /// Reads questions, one `{"question": …}` or `{"prompt": …}` per line, or one plain question per line.
  public static func questions(_ path: String) throws -> [String] {
    guard path.contains(".jsonl") else {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw FileError(
          file: path, "it cannot be read as UTF-8; give a text file with one question a line, or JSONL")
      }
      return text.split(whereSeparator: \.isNewline).map(String.init)
    }
    return try JSONLines.read(path).map { line in
      guard let text = line.value["question"]?.string ?? line.value["prompt"]?.string else {
        throw line.failure("it has no question; a row is {\"question\": …}")
      }
      return text
    }
  }
}
