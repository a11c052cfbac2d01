import MartletData

/// A question of a benchmark.
public struct BenchmarkQuestion: Sendable {
  /// The identifier that the file gives, or the line number.
  public let id: String
  /// The category that the file gives, or `all`.
  public let category: String
  /// The question.
  public let text: String

  /// Reads lines with `text` (or `question`) and optionally `category` and `question_id`.
  /// - Throws: `FileError` that names the line that is wrong.
  public static func read(_ path: String) throws -> [BenchmarkQuestion] {
    let questions = try JSONLines.read(path).map { line in
      let row = line.value
      guard let text = (row["text"] ?? row["question"])?.string else {
        throw line.failure("it is no JSON object with a `text`")
      }
      return BenchmarkQuestion(
        id: row["question_id"]?.text ?? row["id"]?.text ?? "\(line.number)", category: row["category"]?.string ?? "all",
        text: text)
    }
    guard !questions.isEmpty else {
      throw FileError(file: path, "it contains no question; give one JSON object with a `text` on each line")
    }
    return questions
  }
}
