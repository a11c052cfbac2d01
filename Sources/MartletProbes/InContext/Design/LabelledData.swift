import Foundation
import MartletData

/// Texts with classes, divided into those that may be exemplars and those that are asked.
public struct LabelledData: Sendable {
  /// A text with its class.
  public struct Example: Sendable, Equatable {
    /// The identifier that the file gives, or the line's number.
    public var id: String
    /// The text as a model reads it: of a premise with a hypothesis, two lines.
    public var text: String
    /// The number of the class.
    public var gold: Int
  }

  /// The name of the task.
  public let name: String
  /// The names of the classes.
  public let labels: [String]
  /// What exemplars are taken from.
  public private(set) var exemplars: [Example] = []
  /// What is asked.
  public private(set) var queries: [Example] = []
  /// What was done to the data, one sentence each.
  public private(set) var notes: [String] = []

  /// Reads JSON lines `{"text", "label", "split"}`, or with `"premise"` and `"hypothesis"` in place of the text. Exemplars come from the
  /// split `train`, queries from any other; where no line has a split, a fifth of the texts, chosen by their digests, is asked.
  ///
  /// - Parameters:
  ///   - lines: the lines of a file.
  ///   - path: its path, whose last part without endings names the task.
  ///   - labels: the labels to use with their names; nil takes all of them with the names of ``NaturalLabels/init(for:)``.
  ///   - labelKey: the key of the label.
  /// - Throws: `FileError` that names the line, ``ProbeError`` about the labels.
  public init(_ lines: [JSONLines.Line], path: String, labels: NaturalLabels? = nil, labelKey: String = "label") throws
  {
    name = Self.taskName(path)
    let rows = try lines.map { try Row($0, labelKey: labelKey) }
    guard !rows.isEmpty else {
      throw FileError(
        file: path,
        "it contains no examples; give JSON lines such as {\"text\":\"...\",\"label\":\"...\",\"split\":\"train\"}")
    }
    let natural = try labels ?? NaturalLabels(for: Set(rows.map(\.label)))
    self.labels = natural.names
    for label in natural.classes.keys.sorted() where !rows.contains(where: { $0.label == label }) {
      let found = Set(rows.map(\.label)).sorted().prefix(20).joined(separator: ", ")
      throw FileError(file: path, "no line has the label \"\(label)\"; the labels are \(found)")
    }
    let hasSplits = rows.contains { $0.split != nil }
    var leftOut = 0
    var seen: [String: Int] = [:]
    for row in rows {
      if let first = seen.updateValue(row.line.number, forKey: row.id) {
        throw row.line.failure(
          "it has the identifier \(row.id), which line \(first) has too; give each line an \"id\" of its own, or leave \"id\" out everywhere"
        )
      }
      guard let gold = natural.classes[row.label] else {
        leftOut += 1
        continue
      }
      if hasSplits, row.split == nil {
        throw row.line.failure("it has no \"split\" but other lines do; give \"train\" or \"validation\"")
      }
      let example = Example(id: row.id, text: row.text, gold: gold)
      if row.split.map({ $0 == "train" }) ?? !Self.isHeldOut(row.text) {
        exemplars.append(example)
      } else {
        queries.append(example)
      }
    }
    if leftOut > 0 { notes.append("\(path): \(leftOut) of \(rows.count) lines have other labels and are not used") }
    if !hasSplits {
      notes.append(
        "\(path): no line has a split, so \(queries.count) texts are asked and \(exemplars.count) may be exemplars, by their digests"
      )
    }
  }

  /// Examples by their class.
  func divided(_ examples: some Sequence<Example>) -> [[Example]] {
    var classes = [[Example]](repeating: [], count: labels.count)
    for example in examples { classes[example.gold].append(example) }
    return classes
  }

  /// The last part of a path without the endings of JSON lines.
  static func taskName(_ path: String) -> String {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    for ending in [".gz", ".zst", ".jsonl", ".json"] where name.hasSuffix(ending) && name.count > ending.count {
      name.removeLast(ending.count)
    }
    return name
  }

  /// Whether the first eight hexadecimal digits of the text's SHA-256 are divisible by five.
  private static func isHeldOut(_ text: String) -> Bool {
    var digest = SHA256()
    digest.update(Array(text.utf8))
    return (UInt32(digest.finalize().prefix(8), radix: 16) ?? 1) % 5 == 0
  }

  private struct Row {
    let line: JSONLines.Line
    let id, text, label: String
    let split: String?

    init(_ line: JSONLines.Line, labelKey: String) throws {
      self.line = line
      guard let object = line.value.object else {
        throw line.failure("it is \(line.value.kind) but must be a JSON object")
      }
      func text(_ key: String) throws -> String? {
        guard let value = object.present(key) else { return nil }
        guard let text = value.string else { throw line.failure("\"\(key)\" is \(value.kind) but must be a text") }
        return text
      }
      let premise = try text("premise"), hypothesis = try text("hypothesis")
      guard let whole = try text("text") ?? (premise.flatMap { first in hypothesis.map { first + "\n" + $0 } }) else {
        throw line.failure("it has no \"text\", and not both a \"premise\" and a \"hypothesis\"; give one of these")
      }
      guard !whole.trimmingWhiteSpace.isEmpty else {
        throw line.failure("its text is empty; give one, or remove the line")
      }
      guard let value = object.present(labelKey) else {
        let keys = object.members.prefix(8).map(\.key).joined(separator: ", ")
        throw line.failure(
          "it has no \"\(labelKey)\" (its keys are \(keys)); name the label's key (--label-key, or FILE:KEY where files are tuned on)"
        )
      }
      guard let label = value.string ?? value.integer.map({ "\($0)" }) else {
        throw line.failure("\"\(labelKey)\" is \(value.kind) but must be a text or a whole number")
      }
      self.text = whole
      self.label = label
      split = try text("split")
      id = object.present("id").map { $0.string ?? $0.text } ?? "\(line.number)"
    }
  }
}
