import CMartletData
import Foundation
import MartletData
import MartletEngine

/// The prompts of Skeleton-of-Thought (Ning et al., ICLR 2024, prompts 1 and 2) for one kind of model.
public struct PromptSet: Sendable, Equatable {
  /// A user message, and the beginning of the assistant's answer.
  public struct Turn: Sendable, Equatable {
    /// The user message.
    public let user: String
    /// The beginning of the answer.
    public let begun: String
  }

  /// The built-in sets.
  public enum Name: String, Sendable, CaseIterable {
    /// The prompts of the paper for open models.
    case open
    /// The prompts of the paper for these models.
    case chatgpt, claude, gpt4
    /// Prompts without the two demonstrations, which small models copy.
    case small
    /// Chinese prompts.
    case chinese
  }

  /// The name of the set.
  public let name: String
  /// Slot {request}.
  let skeletonTemplate: String
  /// Slots {request}, {outline}, {point}, {point_outline}.
  let pointTemplate: String
  /// Slots {point}, {point_outline}: asks for a point where the model has just written the skeleton itself.
  let continueTemplate: String
  /// Slots {request}, {point_outline}: asks for a point once more, in plain words, where its first answer was none.
  let againTemplate: String
  /// The heads of the demonstrations in the skeleton prompt, normalised.
  public let demonstrationHeads: Set<String>

  private static let roleSwitch = "[ROLESWITCHING assistant:]"
  private static let defaultAgain =
    "{request}\n\nAnswer with one or two short sentences, about this part only: {point_outline}"
  private static let defaultContinue =
    "Write 1~2 short sentences about one point only: point {point}[ROLESWITCHING assistant:]{point}. {point_outline}"

  /// Reads a set in the form of the authors' repository: JSON with `outline_prompt` and `point_prompt`, and optionally
  /// `continue_prompt` and `again_prompt`.
  /// - Throws: ``SkeletonError`` that names what is missing.
  public init(name: String, json: some Collection<UInt8>) throws {
    let object: JSONValue
    do { object = try JSONValue(parsing: json) } catch {
      throw SkeletonError("the prompt set \(name) is not JSON: \(error)")
    }
    guard let skeleton = object["outline_prompt"]?.string, let point = object["point_prompt"]?.string else {
      throw SkeletonError("the prompt set \(name) needs `outline_prompt` and `point_prompt`")
    }
    guard skeleton.contains("{request}"), point.contains("{point}") else {
      throw SkeletonError("the prompt set \(name) lacks the placeholder {request} or {point}")
    }
    self.name = name
    skeletonTemplate = skeleton
    pointTemplate = point
    continueTemplate = object["continue_prompt"]?.string ?? Self.defaultContinue
    againTemplate = object["again_prompt"]?.string ?? Self.defaultAgain
    // The demonstrations are the numbered lines of the prompt itself.
    let lines = skeleton.components(separatedBy: Self.roleSwitch)[0]
    demonstrationHeads = Set(
      lines.split(separator: "\n").compactMap { ListMark.number($0)?.head }.map(Skeleton.normalized))
  }

  /// A built-in set.
  public static func named(_ name: Name) -> PromptSet {
    guard let set = try? PromptSet(name: name.rawValue, json: PromptFile.bytes("\(name.rawValue).json")) else {
      preconditionFailure("the prompt set \(name) is damaged")  // safe: part of the program, tested
    }
    return set
  }

  /// A built-in set by name, or a set from a file.
  public static func load(_ nameOrPath: String) throws -> PromptSet {
    if let name = Name(rawValue: nameOrPath) { return named(name) }
    guard let data = FileManager.default.contents(atPath: nameOrPath) else {
      let names = Name.allCases.map(\.rawValue).joined(separator: ", ")
      throw SkeletonError("there is no prompt set \(nameOrPath); give a file or one of \(names)")
    }
    return try PromptSet(name: nameOrPath, json: data)
  }

  /// The turn that asks for a skeleton.
  public func skeletonTurn(_ question: String) -> Turn { turn(skeletonTemplate, ["{request}": question]) }

  /// The turn that asks for one point of a skeleton.
  /// - Parameters:
  ///   - question: the question.
  ///   - outline: the skeleton as text, e.g. `1. Heads.\n2. Tails.`
  ///   - point: the point to write.
  public func pointTurn(_ question: String, outline: String, point: Skeleton.Point) -> Turn {
    turn(
      pointTemplate,
      ["{request}": question, "{outline}": outline, "{point}": "\(point.index)", "{point_outline}": point.head])
  }

  /// The turn that asks for a point and continues the conversation after the skeleton.
  public func continueTurn(_ point: Skeleton.Point) -> Turn {
    turn(continueTemplate, ["{point}": "\(point.index)", "{point_outline}": point.head])
  }

  /// The turn that asks again for a point that failed.
  public func againTurn(_ question: String, point: Skeleton.Point) -> Turn {
    turn(againTemplate, ["{request}": question, "{point_outline}": point.head])
  }

  private func turn(_ template: String, _ slots: [String: String]) -> Turn {
    let parts = template.components(separatedBy: Self.roleSwitch)
    return Turn(user: Self.fill(parts[0], slots), begun: parts.count > 1 ? Self.fill(parts[1], slots) : "")
  }

  /// Fills slots in one pass, so that a question that contains `{outline}` stays as it is.
  private static func fill(_ template: String, _ slots: [String: String]) -> String {
    var result = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      result += rest[..<open]
      rest = rest[open...]
      if let slot = slots.keys.first(where: rest.hasPrefix) {
        result += slots[slot] ?? ""
        rest = rest.dropFirst(slot.count)
      } else {
        result.append("{")
        rest = rest.dropFirst()
      }
    }
    return result + rest
  }
}

/// The skeletons' files of CMartletData.
package enum PromptFile {
  package static func bytes(_ name: String) -> [UInt8] {
    let file = martlet_find(martlet_skeletons, name)
    return Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
  }
}

/// Why something about Skeleton-of-Thought cannot be done: one sentence with the remedy.
public struct SkeletonError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
