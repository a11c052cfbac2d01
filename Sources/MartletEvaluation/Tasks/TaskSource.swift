import Foundation
import MartletData
import MartletModels

/// Where data of a task are: files of which one is enough, where they can be had, and how their rows are read.
struct TaskSource: Sendable {
  /// Names that are computed from a row, in this order.
  typealias Fields = [(name: String, template: TaskTemplate)]

  /// Paths below the data folder, the first that is there counts.
  let files: [String]
  let origin: String
  let licence: String
  let filter: TaskTemplate?
  let fields: Fields

  init(_ node: JSONNode, _ words: TextTemplate.Names) throws {
    try node.check(["files", "origin", "licence", "filter", "fields"])
    let files = try node.required("files")
    self.files = try files.elements.map { try $0.text(words) }
    guard !self.files.isEmpty else { throw files.failure("`\(files.name)` is empty; name the file of the data") }
    origin = try node.optional("origin")?.text(words) ?? ""
    licence = try node.optional("licence")?.text(words) ?? ""
    filter = try node.optional("filter").map(TaskTemplate.init)
    fields = try node.optional("fields").map(Self.fields) ?? []
  }

  static func fields(_ node: JSONNode) throws -> Fields {
    try node.members.map { ($0.key, try TaskTemplate($0.node)) }
  }

  /// The path of the file that is there: an absolute path, or one below the folder or the folder above it.
  func path(in folder: String) -> String? {
    for file in files {
      let candidates =
        file.hasPrefix("/") ? [file] : [folder, folder + "/.."].map { ($0.isEmpty ? "" : $0 + "/") + file }
      if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) {
        return (found as NSString).standardizingPath
      }
    }
    return nil
  }

  /// The rows that pass the filter, with their names; at most `limit`.
  func rows(_ path: String, _ base: TextTemplate.Names, _ words: Set<String>, limit: Int?) throws -> [TaskRow] {
    var rows: [TaskRow] = []
    for line in try JSONLines.read(path) {
      if let limit, rows.count >= limit { break }
      let row = TaskRow(
        number: rows.count, place: line.place, value: line.value, base: base, words: words, fields: fields)
      guard let filter else {
        rows.append(row)
        continue
      }
      let passes = try filter.value(row.rawNames(), at: line.place)
      guard let passes = passes.bool else {
        throw filter.failure("gives \(passes.kind) and must give true or false", at: line.place)
      }
      if passes { rows.append(row) }
    }
    guard limit == 0 || !rows.isEmpty else {
      throw FileError(
        file: path,
        "it has no row" + (filter == nil ? "" : " that passes the task's filter")
          + "; give the file that the task was made for"
          + (origin.isEmpty ? "" : " (\(origin))"))
    }
    return rows
  }
}

/// A row of a data file.
struct TaskRow: Sendable {
  let number: Int
  /// The file and the line.
  let place: String
  let value: JSONValue
  let base: TextTemplate.Names
  /// The names that a group's member brings, which come before those of the row.
  let words: Set<String>
  let fields: TaskSource.Fields

  /// The names of the row's fields, of the group's member and of tables.
  func rawNames() throws -> TextTemplate.Names {
    guard let object = value.object else {
      throw FileError(file: place, "it is \(value.kind); each line must be one JSON object")
    }
    var names = base
    for member in object.members where !words.contains(member.key) { names.set(member.key, to: member.value) }
    return names
  }

  /// All names, the computed ones among them.
  func names(_ more: TaskSource.Fields) throws -> TextTemplate.Names {
    var names = try rawNames()
    for field in fields + more { names.set(field.name, to: try field.template.value(names, at: place)) }
    return names
  }
}

extension JSONNode {
  /// A text in which the words of a group's member are written.
  func text(_ words: TextTemplate.Names) throws -> String { try TaskTemplate(self).text(words, at: place) }
}
