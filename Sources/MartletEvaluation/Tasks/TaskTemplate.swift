import MartletData
import MartletModels

/// A template of a task's file, which says where it stands when it cannot be written for a row.
struct TaskTemplate: Sendable {
  private let template: TextTemplate
  private let key: String

  init(_ node: JSONNode) throws {
    key = node.name
    do { template = try TextTemplate(try node.string) } catch let error as FileError { throw error } catch let error
      as any ExplainedError
    { throw node.failure("the template `\(node.name)` is not understood: \(error.message)") }
  }

  /// The text for a row.
  /// - Parameter place: the row's file and line.
  func text(_ names: TextTemplate.Names, at place: @autoclosure () -> String) throws -> String {
    try explained(place) { try template.text(names) }
  }

  /// The value for a row.
  func value(_ names: TextTemplate.Names, at place: @autoclosure () -> String) throws -> JSONValue {
    try explained(place) { try template.value(names) }
  }

  /// An error that names the row and the key.
  func failure(_ problem: String, at place: String) -> FileError {
    FileError(file: place, "the task's `\(key)` \(problem)")
  }

  private func explained<Result>(_ place: () -> String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as any ExplainedError {
      throw failure(
        "cannot be written: \(error.message); correct the row, or the template in the task's file",
        at: place())
    }
  }
}

/// A list of texts: templates one by one, one template that gives a list, or one template for each item of a list.
enum TaskTexts: Sendable {
  case fixed([TaskTemplate])
  case list(TaskTemplate)
  case each(TaskTemplate, text: TaskTemplate)

  init(_ node: JSONNode) throws {
    switch node.value {
    case .array: self = .fixed(try node.elements.map(TaskTemplate.init))
    case .object:
      try node.check(["each", "text"])
      self = .each(try TaskTemplate(node.required("each")), text: try TaskTemplate(node.required("text")))
    case .string: self = .list(try TaskTemplate(node))
    default:
      throw node.failure(
        "`\(node.name)` is \(node.value.kind) and must be a list of templates, a template that gives a list, or an object with `each` and `text`"
      )
    }
  }

  /// The texts for a row, none of them empty.
  func texts(_ names: TextTemplate.Names, at place: String) throws -> [String] {
    switch self {
    case .fixed(let templates): return try templates.map { try $0.text(names, at: place) }
    case .list(let template):
      return try Self.items(template, names, place).map { try Self.text($0, of: template, place) }
    case .each(let template, let text):
      var names = names
      return try Self.items(template, names, place).map { item in
        names.set("item", to: item)
        return try text.text(names, at: place)
      }
    }
  }

  private static func items(_ template: TaskTemplate, _ names: TextTemplate.Names, _ place: String) throws
    -> [JSONValue]
  {
    let value = try template.value(names, at: place)
    guard let items = value.array else { throw template.failure("gives \(value.kind) and must give a list", at: place) }
    return items
  }

  private static func text(_ value: JSONValue, of template: TaskTemplate, _ place: String) throws -> String {
    guard let text = value.writtenText else {
      throw template.failure("gives a list with \(value.kind) in it and must give texts", at: place)
    }
    return text
  }
}

extension JSONValue {
  /// A text, or a number or boolean as Python writes it; nil for anything else.
  var writtenText: String? {
    switch self {
    case .string(let text): text
    case .integer(let value): String(value)
    case .number(let value): "\(value)"
    case .bool(let value): value ? "True" : "False"
    case .null, .array, .object: nil
    }
  }
}
