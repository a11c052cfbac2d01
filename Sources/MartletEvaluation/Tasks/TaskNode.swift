import MartletData
import MartletModels

/// A value of a task's file with its place, so that every error names the file, the line and the cure.
struct TaskNode {
  let value: JSONValue
  private let file: String
  private let bytes: [UInt8]
  private let path: [JSONPlace.Step]

  /// The whole of a file.
  /// - Throws: `FileError` where it is not JSON.
  init(_ bytes: [UInt8], of file: String) throws {
    do { value = try JSONValue(parsing: bytes) } catch let error as JSONError {
      throw FileError(
        file: "\(file), line \(error.line), column \(error.column)",
        "it is not JSON (\(error.problem)); a task is one JSON object")
    }
    (self.file, self.bytes, path) = (file, bytes, [])
  }

  private init(_ value: JSONValue, _ step: JSONPlace.Step, of node: TaskNode) {
    self.value = value
    (file, bytes, path) = (node.file, node.bytes, node.path + [step])
  }

  /// The path in words, such as `shots.data`.
  var name: String {
    path.reduce("") { name, step in
      switch step {
      case .key(let key): name.isEmpty ? key : "\(name).\(key)"
      case .index(let index): "\(name)[\(index)]"
      }
    }
  }

  /// The file and the line on which the value begins.
  var place: String { "\(file), line \(JSONPlace.line(of: path, in: bytes))" }

  /// An error at the place of the value.
  func failure(_ problem: String) -> FileError { FileError(file: place, problem) }

  private func wrongKind(_ wanted: String) -> FileError {
    failure("`\(name)` is \(value.kind) and must be \(wanted)")
  }

  /// A member; nil where it is not there or null.
  func optional(_ key: String) -> TaskNode? {
    value.object?.present(key).map { TaskNode($0, .key(key), of: self) }
  }

  /// A member that must be there.
  func required(_ key: String) throws -> TaskNode {
    if let node = optional(key) { return node }
    guard value.object != nil else { throw wrongKind("an object") }
    throw failure("`\(path.isEmpty ? key : "\(name).\(key)")` is missing; add it")
  }

  /// Refuses members with other names than these.
  func check(_ known: [String]) throws {
    guard let object = value.object else {
      throw path.isEmpty ? failure("a task is one JSON object") : wrongKind("an object")
    }
    for member in object.members where !known.contains(member.key) {
      let question = NearestNames.question(member.key, among: known)
      throw TaskNode(member.value, .key(member.key), of: self).failure(
        "`\(member.key)` is no key of \(path.isEmpty ? "a task" : "`\(name)`")"
          + (question.isEmpty ? "; known are \(known.joined(separator: ", "))" : question))
    }
  }

  var string: String {
    get throws {
      guard let text = value.string else { throw wrongKind("a string") }
      return text
    }
  }
  var bool: Bool {
    get throws {
      guard let value = value.bool else { throw wrongKind("true or false") }
      return value
    }
  }
  func integer(_ range: ClosedRange<Int>) throws -> Int {
    guard let number = value.integer, range.contains(number) else {
      throw wrongKind("a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
  var elements: [TaskNode] {
    get throws {
      guard let array = value.array else { throw wrongKind("a list") }
      return array.enumerated().map { TaskNode($1, .index($0), of: self) }
    }
  }
  /// The members in the order of the file.
  var members: [(key: String, node: TaskNode)] {
    get throws {
      guard let object = value.object else { throw wrongKind("an object") }
      return object.members.map { ($0.key, TaskNode($0.value, .key($0.key), of: self)) }
    }
  }
}
