import Foundation

/// A value of a JSON file that people write, such as a task, with its place, so that every error names the file, the line and the cure.
package struct JSONNode {
  package let value: JSONValue
  private let file: String
  /// What the whole file is, for messages: "a task".
  private let document: String
  private let bytes: [UInt8]
  private let path: [JSONPlace.Step]

  /// The whole of a file.
  /// - Parameters:
  ///   - file: its path, for messages.
  ///   - document: what it is, for messages, such as "a task".
  /// - Throws: `FileError` where it is not JSON.
  package init(_ bytes: [UInt8], of file: String, as document: String) throws {
    do { value = try JSONValue(parsing: bytes) } catch let error as JSONError {
      throw FileError(
        file: "\(file), line \(error.line), column \(error.column)",
        "it is not JSON (\(error.problem)); \(document) is one JSON object")
    }
    (self.file, self.document, self.bytes, path) = (file, document, bytes, [])
  }

  private init(_ value: JSONValue, _ step: JSONPlace.Step, of node: JSONNode) {
    self.value = value
    (file, document, bytes, path) = (node.file, node.document, node.bytes, node.path + [step])
  }

  /// The path in words, such as `shots.data`.
  package var name: String {
    path.reduce("") { name, step in
      switch step {
      case .key(let key): name.isEmpty ? key : "\(name).\(key)"
      case .index(let index): "\(name)[\(index)]"
      }
    }
  }

  /// The file and the line on which the value begins.
  package var place: String { "\(file), line \(JSONPlace.line(of: path, in: bytes))" }

  /// An error at the place of the value.
  package func failure(_ problem: String) -> FileError { FileError(file: place, problem) }

  private func wrongNumber(_ wanted: String) -> FileError {
    value.number == nil ? wrongKind(wanted) : failure("`\(name)` is \(value.text) and must be \(wanted)")
  }

  private func wrongKind(_ wanted: String) -> FileError {
    failure("`\(name)` is \(value.kind) and must be \(wanted)")
  }

  /// A member; nil where it is not there or null.
  package func optional(_ key: String) -> JSONNode? {
    value.object?.present(key).map { JSONNode($0, .key(key), of: self) }
  }

  /// A member that must be there.
  package func required(_ key: String) throws -> JSONNode {
    if let node = optional(key) { return node }
    guard value.object != nil else { throw wrongKind("an object") }
    throw failure("`\(path.isEmpty ? key : "\(name).\(key)")` is missing; add it")
  }

  /// Refuses members with other names than these, and a name that occurs twice, of which one value would be lost.
  package func check(_ known: [String]) throws {
    guard let object = value.object else {
      throw path.isEmpty ? failure("\(document) is one JSON object") : wrongKind("an object")
    }
    var seen = Set<String>()
    for member in object.members {
      guard seen.insert(member.key).inserted else {
        throw JSONNode(member.value, .key(member.key), of: self).failure(
          "`\(member.key)` occurs twice; leave one of them out")
      }
      guard !known.contains(member.key) else { continue }
      let question = NearestNames.question(member.key, among: known)
      throw JSONNode(member.value, .key(member.key), of: self).failure(
        "`\(member.key)` is no key of \(path.isEmpty ? document : "`\(name)`")"
          + (question.isEmpty ? "; known are \(known.joined(separator: ", "))" : question))
    }
  }

  /// The text, which must be one.
  package var string: String {
    get throws {
      guard let text = value.string else { throw wrongKind("a string") }
      return text
    }
  }
  /// The truth value, which must be one.
  package var bool: Bool {
    get throws {
      guard let value = value.bool else { throw wrongKind("true or false") }
      return value
    }
  }
  /// The whole number, which must lie in a range.
  package func integer(_ range: ClosedRange<Int>) throws -> Int {
    guard let number = value.integer, range.contains(number) else {
      let range =
        range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw wrongNumber("a whole number \(range)")
    }
    return number
  }
  /// The number, which must lie in a range.
  package func number(_ range: ClosedRange<Double>) throws -> Double {
    guard let number = value.number, range.contains(number) else {
      throw wrongNumber("a number from \(range.lowerBound.formatted()) to \(range.upperBound.formatted())")
    }
    return number
  }
  /// The word, which must be one of a list.
  package func word(_ words: [String]) throws -> String {
    let text = try string
    guard words.contains(text) else {
      let question = NearestNames.question(text, among: words)
      throw failure(
        "`\(name)` is \"\(text)\""
          + (question.isEmpty ? ", but must be one of \(words.joined(separator: ", "))" : question))
    }
    return text
  }
  /// The elements of a list, which it must be.
  package var elements: [JSONNode] {
    get throws {
      guard let array = value.array else { throw wrongKind("a list") }
      return array.enumerated().map { JSONNode($1, .index($0), of: self) }
    }
  }
  /// The members in the order of the file.
  package var members: [(key: String, node: JSONNode)] {
    get throws {
      guard let object = value.object else { throw wrongKind("an object") }
      return object.members.map { ($0.key, JSONNode($0.value, .key($0.key), of: self)) }
    }
  }
}
