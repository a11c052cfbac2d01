import CMartletData
import MartletData

/// Instructions whose fulfilment shows in the form of an answer, such as "Answer in capital letters only". They show whether a student
/// still does what it is told after it has been taught something else; knowledge is not asked for.
public struct InstructionCheck: Sendable, Equatable {
  /// An instruction with the rule that tells whether an answer keeps to it.
  public struct Instruction: Sendable, Equatable {
    /// What tells it from the others.
    public var id: String
    /// What the student is asked.
    public var text: String
    /// When an answer keeps to it.
    public var rule: InstructionRule
  }

  /// The name of the task in answers and tables.
  public static let task = "instructions"

  /// The instructions in their order.
  public var instructions: [Instruction]

  /// The instructions that are part of the package.
  /// - Throws: never in practice; the file is read by the tests.
  public static var shipped: InstructionCheck {
    get throws {
      let file = martlet_find(martlet_teaching, "instructions.json")
      guard let bytes = file.bytes else { throw TeachingError("the instructions of this package are missing") }
      return try InstructionCheck(
        Array(UnsafeBufferPointer(start: bytes, count: file.size)), of: "instructions.json")
    }
  }

  /// Reads a file of instructions.
  /// - Throws: `FileError` that names the file, the line, the key and the cure.
  public static func read(_ path: String) throws -> InstructionCheck {
    try InstructionCheck(Array(JSONLines.contents(path)), of: path)
  }

  init(_ bytes: [UInt8], of file: String) throws {
    let root = try JSONNode(bytes, of: file, as: "a file of instructions")
    try root.check(["about", "instructions"])
    let list = try root.required("instructions")
    instructions = try list.elements.map { node in
      try node.check(["id", "instruction", "rule"])
      return Instruction(
        id: try node.required("id").string, text: try node.required("instruction").string,
        rule: try InstructionRule(node.required("rule")))
    }
    if Set(instructions.map(\.id)).count < instructions.count || instructions.isEmpty {
      throw list.failure("`instructions` must have different ids, at least one; rename one")
    }
  }

  /// The instructions as questions of the task ``task``, whose right answers no rule of texts knows.
  public var questions: [TeachingRow] {
    instructions.map { TeachingRow(id: $0.id, task: Self.task, split: "damage", question: $0.text) }
  }

  /// Whether an answer keeps to the instruction of a question.
  public func isFulfilled(_ question: TeachingRow, by answer: String) -> Bool {
    instructions.first { $0.id == question.id }?.rule.isFulfilled(by: answer) ?? false
  }
}
