import MartletData

/// What a student answered to a question of a test: a line of `evaluated/ARM-seed-N.jsonl`.
///
///     {"id":"coin-3","task":"coin_flip","split":"test_ood3","question":"…","answer":"no","rule":"yes-no","seed":1,
///      "response":"The coin was flipped by …","extracted":"no","correct":true,"completion_tokens":38,
///      "arm":"thoughts","ended":true}
public struct StudentAnswer: Sendable, Equatable {
  /// An answer with the verdict on it.
  public struct Verdict: Sendable, Equatable {
    /// The text.
    public var response: String
    /// The answer found in it; nil for none.
    public var extracted: String?
    /// Whether it is right.
    public var isCorrect: Bool

    /// An answer that was judged.
    public init(response: String, extracted: String?, isCorrect: Bool) {
      self.response = response
      self.extracted = extracted
      self.isCorrect = isCorrect
    }
  }

  /// The question, and the answer as the student wrote it.
  public var row: TeachingRow
  /// The name of the arm.
  public var arm: String
  /// Whether the student ended the answer itself, before the limit of tokens.
  public var isEnded: Bool
  /// The answer that was written with the calculator in the loop; nil where that was not asked for.
  public var calculated: Verdict?
  /// The answer with its arithmetic corrected afterwards; nil where that was not asked for.
  public var corrected: Verdict?
  /// The strategy whose form the answer has; nil where none is known or none fits.
  public var followed: String?

  /// Whether an answer in the form that the rule looks for was found.
  public var hasAnswer: Bool { row.extracted != nil }

  /// An answer.
  /// - Parameters:
  ///   - row: the question with the response and the verdict on it.
  ///   - arm: the name of the arm.
  ///   - isEnded: whether the student ended the answer itself.
  public init(_ row: TeachingRow, arm: String, isEnded: Bool) {
    self.row = row
    self.arm = arm
    self.isEnded = isEnded
  }

  /// Reads a line.
  /// - Throws: `FileError` that names the line and the member that is wrong.
  public init(_ line: JSONLines.Line) throws {
    row = try TeachingRow(line)
    guard let arm = row.others["arm"]?.string, let isEnded = row.others["ended"]?.bool, row.isCorrect != nil else {
      throw line.failure("it is no answer of a student: \"arm\", \"ended\" or \"correct\" is missing")
    }
    self.arm = arm
    self.isEnded = isEnded
    calculated = Verdict(row.others["calculated"])
    corrected = Verdict(row.others["corrected"])
    followed = row.others["followed"]?.string
    var rest = JSONObject()
    for member in row.others.members where !Self.names.contains(member.key) { rest[member.key] = member.value }
    row.others = rest
  }

  private static let names: Set = ["arm", "ended", "calculated", "corrected", "followed"]

  /// The line as an object.
  public var json: JSONValue {
    guard case .object(var object) = row.json else { return row.json }
    object.append("arm", .string(arm))
    object.append("ended", .bool(isEnded))
    if let calculated { object.append("calculated", calculated.json) }
    if let corrected { object.append("corrected", corrected.json) }
    if let followed { object.append("followed", .string(followed)) }
    return .object(object)
  }
}

extension StudentAnswer.Verdict {
  fileprivate init?(_ value: JSONValue?) {
    guard let response = value?["response"]?.string, let isCorrect = value?["correct"]?.bool else { return nil }
    self.init(response: response, extracted: value?["extracted"]?.string, isCorrect: isCorrect)
  }

  fileprivate var json: JSONValue {
    var object = JSONObject()
    object.append("response", .string(response))
    if let extracted { object.append("extracted", .string(extracted)) }
    object.append("correct", .bool(isCorrect))
    return .object(object)
  }
}
