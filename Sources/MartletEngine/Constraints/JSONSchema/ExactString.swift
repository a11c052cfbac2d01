import MartletData

/// A text that equals another only where all code points do, as JSON means it. Swift's own comparison takes a composed
/// letter and the same letter with a combining accent for equal, and would take two properties for one.
struct ExactString: Hashable, Sendable {
  let text: String
  init(_ text: String) { self.text = text }

  static func == (left: ExactString, right: ExactString) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: .init($0)) }
  }
}

extension JSONObject {
  /// The members, each name once: in the place where it first came, with the value that it had last.
  var distinctMembers: [(name: ExactString, value: JSONValue)] {
    var result: [(name: ExactString, value: JSONValue)] = []
    var places: [ExactString: Int] = [:]
    for member in members {
      let name = ExactString(member.key)
      if let place = places[name] {
        result[place].value = member.value
      } else {
        places[name] = result.count
        result.append((name, member.value))
      }
    }
    return result
  }
}
