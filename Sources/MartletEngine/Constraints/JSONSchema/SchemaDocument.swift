import Foundation
import MartletData

/// A schema, with a number for every place in it that has been asked about.
struct SchemaDocument {
  struct Node {
    enum Content { case schema(JSONValue), constant(JSONValue) }
    let content: Content
    /// Where it stands, as a JSON pointer: `#/properties/name`.
    let pointer: String
    /// Whether a schema around it has an `$id`, so that references in it do not mean this document.
    let hasOwnBase: Bool
  }

  static let root = 0
  private(set) var nodes: [Node] = []
  private var numbers: [ExactString: Int] = [:]
  /// Up to draft 7, keywords beside `$ref` mean nothing, and some of later drafts are none.
  let isBeforeDraft2019: Bool

  init(_ schema: JSONValue) {
    let dialect = schema["$schema"]?.string ?? ""
    isBeforeDraft2019 = ["draft-07", "draft-06", "draft-04", "draft-03"].contains { dialect.contains($0) }
    _ = number(Node(content: .schema(schema), pointer: "#", hasOwnBase: false), key: "#")
  }

  private mutating func number(_ node: Node, key: String) -> Int {
    let key = ExactString(key)
    if let known = numbers[key] { return known }
    nodes.append(node)
    numbers[key] = nodes.count - 1
    return nodes.count - 1
  }

  /// The place of a node as error messages name it.
  func place(_ node: Int) -> String {
    guard nodes.indices.contains(node), node != Self.root else { return "the schema" }
    return nodes[node].pointer
  }

  func refusal(_ node: Int, _ problem: String) -> EngineError { EngineError("\(place(node)): \(problem)") }

  /// An error that says where it arose; one that does not yet say so arose in `node`.
  func placed(_ error: EngineError, _ node: Int) -> EngineError {
    if error.description.hasPrefix("#") || error.description.hasPrefix("the schema") { return error }
    return refusal(node, error.description)
  }

  /// The subschema `value`, which stands below `parent` at `keys`.
  mutating func subschema(_ value: JSONValue, of parent: Int, at keys: String...) throws -> Requirement {
    if value == true { return .anything }
    if value == false { return .never }
    if let object = value.object, object.isEmpty { return .anything }
    let length = keys.reduce(nodes[parent].pointer.utf8.count) { $0 + $1.utf8.count }
    try GrammarWork.spend(100 + length)
    let pointer = keys.reduce(nodes[parent].pointer) { $0 + "/" + Self.escaped($1) }
    let node = Node(
      content: .schema(value), pointer: pointer,
      hasOwnBase: nodes[parent].hasOwnBase || value["$id"]?.string != nil)
    return Requirement(number(node, key: pointer))
  }

  /// Exactly the value `value`.
  mutating func constant(_ value: JSONValue, of parent: Int) throws -> Requirement {
    let node = Node(content: .constant(value), pointer: nodes[parent].pointer, hasOwnBase: false)
    let text = value.text
    try GrammarWork.spend(100 + 2 * text.utf8.count)
    return Requirement(number(node, key: "=" + text))
  }

  /// What a `$ref` in `node` names.
  mutating func target(of reference: JSONValue, in node: Int) throws -> Int {
    let cure = "it must name a part of the same schema by its path, e.g. #/$defs/Name"
    guard var path = reference.string else { throw refusal(node, "`$ref` is \(reference.kind); \(cure)") }
    if let name = root["$id"]?.string, !name.isEmpty {
      let name = name.hasSuffix("#") ? String(name.dropLast()) : name
      if path == name || path.hasPrefix(name + "#") { path = "#" + path.dropFirst(name.count + 1) }
    }
    guard path == "#" || path.hasPrefix("#/") else {
      throw refusal(node, "`$ref` names \(path.prefix(100)), which is outside this schema; \(cure)")
    }
    guard !nodes[node].hasOwnBase else {
      throw refusal(node, "`$ref` is inside a schema with its own `$id`; leave the inner `$id` out")
    }
    var target = root
    var pointer = "#"
    for (index, part) in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().enumerated() {
      if index > 0, target["$id"]?.string != nil {
        throw refusal(node, "`$ref` names \(path.prefix(100)), which is inside a schema with its own `$id`")
      }
      try GrammarWork.spend(20 + part.utf8.count + (target.object?.members.count ?? 0))
      let key = (part.removingPercentEncoding ?? String(part)).replacing("~1", with: "/").replacing("~0", with: "~")
      if let next = target.object?.members.last(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
        target = next.value
      } else if let list = target.array, let place = Int(key), list.indices.contains(place) {
        target = list[place]
      } else {
        throw refusal(node, "`$ref` names \(path.prefix(100)), which is not in the schema")
      }
      pointer += "/" + Self.escaped(key)
    }
    if pointer == "#" { return Self.root }
    let found = Node(content: .schema(target), pointer: pointer, hasOwnBase: target["$id"]?.string != nil)
    return number(found, key: pointer)
  }

  private var root: JSONValue {
    if case .schema(let schema) = nodes[Self.root].content { schema } else { true }
  }

  private static func escaped(_ key: String) -> String { key.replacing("~", with: "~0").replacing("/", with: "~1") }
}
