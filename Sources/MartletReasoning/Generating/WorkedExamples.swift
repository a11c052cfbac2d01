import Foundation
import MartletData

/// Worked examples that stand before a question (Wei et al., "Chain-of-Thought Prompting", 2022), by task.
public struct WorkedExamples: Sendable, Equatable {
  /// A question with its reasoning, which ends with the answer.
  public struct Example: Sendable, Equatable {
    /// What is asked.
    public var question: String
    /// The reasoning and the answer.
    public var target: String
  }

  /// The examples of each task, by its name in the file.
  public let byTask: [String: [Example]]
  private let path: String

  /// No examples of any task.
  public init() { (byTask, path) = ([:], "the worked examples") }

  /// Reads a JSON object of lists `[{"question": …, "target": …}]` by task.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public init(_ path: String) throws {
    let root = try JSONNode(Array(JSONLines.contents(path)), of: path, as: "a file of worked examples")
    var tasks: [String: [Example]] = [:]
    for (name, list) in try root.members {
      tasks[name] = try list.elements.map { node in
        try node.check(["question", "target"])
        return Example(
          question: try node.required("question").string, target: try node.required("target").string)
      }
    }
    byTask = tasks
    self.path = path
  }

  /// The examples of a task; `commonsenseqa` finds those of `commonsense_qa`, and `last_letter` those of `last_letter_concatenation`.
  /// - Throws: `FileError` where there are none.
  public func examples(of task: String) throws -> [Example] {
    func plain(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }
    let wanted = plain(task)
    let names = byTask.keys.sorted()
    let found =
      names.first { plain($0) == wanted }
      ?? names.first { !wanted.isEmpty && (plain($0).hasPrefix(wanted) || wanted.hasPrefix(plain($0))) }
    guard let found, let examples = byTask[found], !examples.isEmpty else {
      throw FileError(
        file: path,
        "it has no worked examples for the task \"\(task)\"; it has \(names.joined(separator: ", ")). Add some, or choose another prompt"
      )
    }
    return examples
  }
}
