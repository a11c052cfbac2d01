/// How exemplars and the query are written: what stands before the text, between the text and its label, and behind the label.
public struct ExemplarFormat: Sendable, Equatable {
  /// The name, or the pattern that it was made of.
  public let name: String
  private let beforeText, betweenTextAndLabel, afterLabel: String

  /// The formats by name: those of the paper's comparison of formats (Wei et al., 2023, appendix B).
  public static let patterns: [(name: String, pattern: String)] = [
    ("input-output", "Input: {text}\nOutput: {label}\n\n"),
    ("arrow", "{text} -> {label}\n\n"),
    ("comma", "{text}, {label}\n\n"),
    ("question-answer", "Question: {text}\nAnswer: {label}\n\n"),
    ("student-teacher", "Student: {text}\nTeacher: {label}\n\n"),
    ("q-a", "Q: {text}\nA: {label}\n\n"),
  ]

  /// The format of the paper: `Input: … Output: …`, one blank line between exemplars.
  public static let standard = ExemplarFormat(
    name: "input-output", beforeText: "Input: ", betweenTextAndLabel: "\nOutput: ", afterLabel: "\n\n")

  /// A format by its name, or of a pattern with `{text}` and `{label}` such as `Review: {text}\nSentiment: {label}\n\n`, in which `\n`
  /// may be written as a backslash and an n.
  /// - Throws: ``ProbeError`` that says what a pattern needs.
  public init(_ nameOrPattern: String) throws {
    let known = Self.patterns.first { $0.name == nameOrPattern }
    let pattern = (known?.pattern ?? nameOrPattern).replacing("\\n", with: "\n")
    let ends = pattern.split(separator: "{label}", omittingEmptySubsequences: false)
    let starts = (ends.first ?? "").split(separator: "{text}", omittingEmptySubsequences: false)
    guard ends.count == 2, starts.count == 2, !starts[1].isEmpty, !ends[1].isEmpty else {
      throw ProbeError(
        "\"\(nameOrPattern)\" is no template: give \(Self.patterns.map(\.name).joined(separator: ", ")), or a pattern with {text} once, {label} once behind it, something between them and something behind {label}, such as \"Review: {text}\\nSentiment: {label}\\n\\n\""
      )
    }
    self.init(
      name: nameOrPattern, beforeText: String(starts[0]), betweenTextAndLabel: String(starts[1]),
      afterLabel: String(ends[1]))
  }

  private init(name: String, beforeText: String, betweenTextAndLabel: String, afterLabel: String) {
    self.name = name
    self.beforeText = beforeText
    self.betweenTextAndLabel = betweenTextAndLabel
    self.afterLabel = afterLabel
  }

  /// A text with its label.
  public func exemplar(_ text: String, _ label: String) -> String {
    beforeText + text + betweenTextAndLabel + label + afterLabel
  }

  /// A text whose label is asked for, without the white space before the label.
  public func query(_ text: String) -> String {
    beforeText + text + betweenTextAndLabel.dropLast(delimiter.count)
  }

  /// A label as it continues a query: with the white space before it.
  public func continuation(_ label: String) -> String { delimiter + label }

  /// Where a generated label ends: at the first character of what stands behind labels.
  public var stop: String { String(afterLabel.prefix(1)) }

  /// The white space before labels.
  private var delimiter: String {
    String(betweenTextAndLabel.reversed().prefix { $0.isWhitespace }.reversed())
  }
}
