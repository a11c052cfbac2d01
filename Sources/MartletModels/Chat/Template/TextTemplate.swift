import Foundation
import MartletData

/// A text with places for the fields of a row, in Jinja: `Question: {{question}}\nAnswer:`. White space stays as it is written, and a name
/// that is not there is an error.
package struct TextTemplate: Sendable {
  /// Names and what they stand for; made once for all templates of a row. They hold what JSON has and no namespace, which is the one value
  /// that can change, so they may be used from everywhere.
  package struct Names: @unchecked Sendable {
    fileprivate private(set) var values: [String: TemplateValue] = [:]

    package init() {}

    /// Gives a name its value.
    package mutating func set(_ name: String, to value: JSONValue) { values[name] = TemplateValue(value) }
  }

  private let statements: [TemplateStatement]
  private let isOneLine: Bool

  /// - Throws: ``TextTemplateError`` that says what is not understood.
  package init(_ text: String) throws {
    let isOneLine = !text.contains("\n")
    self.isOneLine = isOneLine
    statements = try Self.explained(isOneLine) { try TemplateParser.parse(text, .text) }
  }

  /// The text that a row gives.
  /// - Throws: ``TextTemplateError`` that names what is undefined or cannot be done.
  package func text(_ names: Names) throws -> String {
    try Self.explained(isOneLine) {
      var run = TemplateRun(names.values, now: Date(), .text)
      return try run.render(statements).string
    }
  }

  /// The value of the template's one expression, such as a number or a list; the text where there is more than an expression.
  /// - Throws: ``TextTemplateError`` that names what is undefined or cannot be done.
  package func value(_ names: Names) throws -> JSONValue {
    try Self.explained(isOneLine) {
      var run = TemplateRun(names.values, now: Date(), .text)
      let value = try run.value(statements)
      try run.checkDefined(value, line: 1)
      guard let json = value.json else {
        throw TemplateError.failed(line: 1, "\(value.kind) is no value that a row can have")
      }
      return json
    }
  }

  private static func explained<Result>(_ isOneLine: Bool, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as TemplateError {
      switch error {
      case .notUnderstood(let line, let what), .failed(let line, let what):
        throw TextTemplateError(message: isOneLine || line == 0 ? what : "line \(line) of the template: \(what)")
      case .refused(let words): throw TextTemplateError(message: words)
      }
    }
  }
}

/// Why a template cannot be read, or not be written for a row.
package struct TextTemplateError: ExplainedError {
  /// What is wrong, with the line where the template has several.
  package let message: String
}

extension TemplateValue {
  init(_ value: JSONValue) {
    self =
      switch value {
      case .null: .null
      case .bool(let value): .boolean(value)
      case .integer(let value): .integer(value)
      case .number(let value): .real(value)
      case .string(let text): TemplateValue(text)
      case .array(let items): .list(items.map(TemplateValue.init))
      case .object(let object):
        // Of a key that occurs twice the last value counts.
        .dictionary(
          object.members.filter { object[$0.key] == $0.value }.map { (MarkedText($0.key), TemplateValue($0.value)) })
      }
  }

  /// The value as JSON; nil for what JSON does not have.
  var json: JSONValue? {
    switch self {
    case .null: return .null
    case .boolean(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .real(let value): return .number(value)
    case .text(let text): return .string(text.string)
    case .list(let items):
      let values = items.compactMap(\.json)
      return values.count == items.count ? .array(values) : nil
    case .dictionary(let entries):
      var object = JSONObject()
      for entry in entries {
        guard let value = entry.value.json else { return nil }
        object.append(entry.key.string, value)
      }
      return .object(object)
    case .undefined, .namespace, .macro, .function, .method, .loop: return nil
    }
  }
}
