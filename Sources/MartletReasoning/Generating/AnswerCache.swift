import Foundation
import MartletData
import MartletEngine
import MartletModels

/// Answers of teachers that are kept, one JSON line each, so that no question is paid for twice: a line is durable before the next answer
/// is looked at, and what a crash left of a line is cut off.
public final class AnswerCache {
  private var answers: [String: TeacherAnswer] = [:]
  private let file: AppendedFile?

  /// Opens or begins a file of answers.
  /// - Parameter path: the file; nil keeps answers in memory alone.
  /// - Throws: `FileError` where it is damaged, cannot be written, or another process has it.
  public init(_ path: String?) throws {
    guard let path else {
      file = nil
      return
    }
    let contents = FileManager.default.contents(atPath: path) ?? Data()
    let end = contents.lastIndex(of: 0x0a).map { $0 + 1 } ?? contents.startIndex
    for line in try JSONLines.lines(contents[..<end], of: path) {
      guard let key = line.value["key"]?.string, let text = line.value["text"]?.string else {
        throw line.failure("it is no answer of a teacher; name another file, or remove this one")
      }
      var answer = TeacherAnswer(text)
      answer.promptTokens = line.value["prompt_tokens"]?.integer
      answer.completionTokens = line.value["completion_tokens"]?.integer
      answer.isCutOff = line.value["cut_off"]?.bool ?? false
      answers[key] = answer
    }
    file = try AppendedFile(path: path, keeping: end - contents.startIndex)
  }

  /// The number of answers.
  public var count: Int { answers.count }

  /// The answer of a key.
  subscript(key: String) -> TeacherAnswer? { answers[key] }

  /// Keeps an answer. A refusal is not kept, so that it is asked again another time.
  func add(_ answer: TeacherAnswer, for key: String) throws {
    guard answer.refusal == nil, answers[key] == nil else { return }
    answers[key] = answer
    var object = JSONObject()
    object.append("key", .string(key))
    object.append("text", .string(answer.text))
    if let count = answer.promptTokens { object.append("prompt_tokens", .integer(count)) }
    if let count = answer.completionTokens { object.append("completion_tokens", .integer(count)) }
    if answer.isCutOff { object.append("cut_off", true) }
    try file?.append(Array((JSONValue.object(object).text + "\n").utf8))
    try file?.synchronize()
  }

  /// The key of a request: a digest of the teacher and of everything that it is asked.
  static func key(_ request: TeacherRequest, of teacher: some Teacher) -> String {
    let sampling = request.sampling
    let asked: JSONValue = [
      "teacher": .string(teacher.identity),
      "messages": .array(
        request.messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] }),
      "stops": .array(request.stops.map { .string($0) }), "max_tokens": .integer(request.maxTokens),
      "temperature": .string("\(sampling.temperature)"), "top_p": .string("\(sampling.topP)"),
      "seed": .string("\(sampling.seed)"),
    ]
    var digest = SHA256()
    digest.update(Array(asked.text.utf8))
    return digest.finalize()
  }
}
