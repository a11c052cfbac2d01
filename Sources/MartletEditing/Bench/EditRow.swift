import Foundation
import MartletEngine

/// One row of a set of edits, with questions to measure it by.
public struct EditRow: Sendable, Equatable {
  public var id: String
  public var prompt: String
  public var answer: String
  public var subject: String?
  /// The same question in other words, or about the same thing under another name.
  public var rewordings: [String] = []
  /// Other questions about the same or a similar subject, whose answers must not change.
  public var neighbours: [String] = []

  /// Rows of a JSONL file (or .jsonl.gz) in the fields of zsRE, CounterFact, KnowEdit's Wikidata sets, or plain
  /// `{"prompt", "answer", "rephrase", "near"}`.
  /// - Throws: ``EditError`` naming the line that is wrong.
  public static func read(_ path: String) throws -> [EditRow] {
    try JSONLines.read(path).enumerated().map { line, object in
      func text(_ names: String...) -> String? { names.lazy.compactMap { object[$0]?.string }.first }
      guard let prompt = text("prompt", "question"), let answer = text("target_new", "answer", "target") else {
        throw EditError(
          "\(path), line \(line + 1): it has no prompt and answer; a row is {\"prompt\": …, \"answer\": …}")
      }
      var row = EditRow(id: text("id") ?? "\(line + 1)", prompt: prompt, answer: answer, subject: text("subject"))
      row.rewordings = text("rephrase").map { [$0] } ?? []
      row.rewordings += prompts(object["portability"]?["Subject_Aliasing"])
      row.neighbours = (text("loc_prompt", "near").map { [$0] } ?? []) + prompts(object["loc"])
      row.neighbours += prompts(object["locality"]?["Relation_Specificity"])
      return row
    }
  }

  /// `{"text": …}` a line.
  /// - Throws: ``EditError`` naming the line that is wrong.
  public static func texts(_ path: String) throws -> [String] {
    try JSONLines.read(path).enumerated().map { line, object in
      guard let text = object["text"]?.string else {
        throw EditError("\(path), line \(line + 1): it has no text; a row is {\"text\": …}")
      }
      return text
    }
  }

  private static func prompts(_ value: JSONValue?) -> [String] {
    guard case .array(let items)? = value else { return [] }
    return items.compactMap { $0["prompt"]?.string }
  }

  /// Questions alone: `{"question": …}` or `{"prompt": …}` a line, or plain lines.
  public static func questions(_ path: String) throws -> [String] {
    guard path.contains(".jsonl") else {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw EditError("\(path) cannot be read as UTF-8; give a text file with one question a line, or JSONL")
      }
      return text.split(whereSeparator: \.isNewline).map(String.init)
    }
    return try JSONLines.read(path).enumerated().map { line, object in
      guard let text = object["question"]?.string ?? object["prompt"]?.string else {
        throw EditError("\(path), line \(line + 1): it has no question")
      }
      return text
    }
  }
}

/// JSON objects, one a line, plain or gzipped.
enum JSONLines {
  static func read(_ path: String) throws -> [JSONValue] {
    // Some editors and spreadsheets begin UTF-8 with a byte order mark.
    let data = try bytes(path).trimmingPrefix([0xef, 0xbb, 0xbf])
    return try data.split(separator: 0x0a).enumerated().compactMap { line, bytes in
      if bytes.allSatisfy({ $0 <= 0x20 }) { return nil }
      do { return try JSONValue(parsing: Array(bytes)) } catch {
        throw EditError("\(path), line \(line + 1): \(error)")
      }
    }
  }

  private static func bytes(_ path: String) throws -> Data {
    guard FileManager.default.fileExists(atPath: path) else {
      throw EditError("\(path): there is no such file")
    }
    guard path.hasSuffix(".gz") else {
      guard let data = FileManager.default.contents(atPath: path) else { throw EditError("\(path) cannot be read") }
      return data
    }
    let process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw EditError("\(path) is compressed, and gzip is not installed; decompress it first")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw EditError("\(path) is no gzip file, or damaged") }
    return data
  }
}
