import MartletData
import MartletModels

/// How an answer is taken out of a text that a model wrote.
struct AnswerFilter: Sendable {
  enum Step: Sendable {
    /// The first expression that matches anywhere decides; of its matches the one at `place` counts, from the end where it is negative.
    case expressions([TextPattern], place: Int, otherwise: String)
    case strip, lowercase, uppercase
    /// What a text stands for; texts that are not listed stay as they are.
    case map([String: String])
  }

  let name: String
  let steps: [Step]

  /// A filter of one step: of several expressions, which are constants of this package, the first that matches.
  init(name: String, finding expressions: [String], place: Int = 0) {
    self.name = name
    steps = [.expressions(expressions.compactMap { try? TextPattern($0) }, place: place, otherwise: "[invalid]")]
  }

  init(_ node: JSONNode, _ words: TextTemplate.Names) throws {
    try node.check(["name", "steps"])
    name = try node.required("name").text(words)
    steps = try node.required("steps").elements.map { try Self.step($0, words) }
  }

  private static func step(_ node: JSONNode, _ words: TextTemplate.Names) throws -> Step {
    if let name = node.value.string {
      switch name {
      case "strip": return .strip
      case "lowercase": return .lowercase
      case "uppercase": return .uppercase
      default:
        throw node.failure(
          "`\(name)` is no step of a filter; known are strip, lowercase, uppercase, {\"regex\": …} and {\"map\": …}")
      }
    }
    if let map = node.optional("map") {
      try node.check(["map"])
      return .map(Dictionary(try map.members.map { ($0.key, try $0.node.text(words)) }) { _, last in last })
    }
    try node.check(["regex", "match", "otherwise"])
    let expression = try node.required("regex")
    let expressions = expression.value.array == nil ? [expression] : try expression.elements
    guard !expressions.isEmpty else { throw expression.failure("`\(expression.name)` is empty; give an expression") }
    var place = 0
    if let match = node.optional("match") {
      switch match.value {
      case "first": place = 0
      case "last": place = -1
      default: place = try match.integer(-1000...1000)
      }
    }
    return .expressions(
      try expressions.map { node in
        let text = try node.text(words)
        do { return try TextPattern(text) } catch {
          throw node.failure("`\(text)` is no regular expression; correct it, with \\\\ for each \\ in JSON")
        }
      }, place: place, otherwise: try node.optional("otherwise")?.string ?? "[invalid]")
  }

  /// The answer, and whether every expression found something.
  func answer(in text: String) -> (text: String, isFound: Bool) {
    var text = text, isFound = true
    for step in steps {
      switch step {
      case .strip: text = text.strippedOfSpace
      case .lowercase: text = text.lowercased()
      case .uppercase: text = text.uppercased()
      case .map(let meanings): text = meanings[text] ?? text
      case .expressions(let expressions, let place, let otherwise):
        let found = expressions.lazy.map { $0.found(in: text) }.first { !$0.isEmpty } ?? []
        let index = place < 0 ? found.count + place : place
        // Groups that all took no part are as good as no match.
        if found.indices.contains(index), !found[index].isEmpty {
          text = found[index].strippedOfSpace
        } else {
          text = otherwise
          isFound = false
        }
      }
    }
    return (text, isFound)
  }
}

extension String {
  /// Without white space at both ends.
  var strippedOfSpace: String {
    var rest = unicodeScalars[...]
    while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}
