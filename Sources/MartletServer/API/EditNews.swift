import MartletData
import MartletEditing
import MartletEngine

/// What an answer says of edits in its `martlet` object: `edit`, that which changed the answer, or `edit_held_back`, that
/// which would have. Where an answer has several choices, `edits` says the same of each.
struct EditNews: Sendable {
  private var fired: [(choice: Int, edit: FiredEdit)] = []
  private var held: [(choice: Int, edit: HeldEdit)] = []

  mutating func take(_ event: AnswerEvent) {
    switch event {
    case .edited(let choice, let edit): fired.append((choice, edit))
    case .heldBack(let choice, let edit): held.append((choice, edit))
    default: break
    }
  }

  /// Members of the `martlet` object of a whole answer.
  func members(choices: Int) -> [(String, JSONValue)] {
    let first = fired.min { $0.choice < $1.choice }, firstHeld = held.min { $0.choice < $1.choice }
    var members: [(String, JSONValue)] = []
    if let first { members.append(("edit", first.edit.value)) }
    if let firstHeld { members.append(("edit_held_back", firstHeld.edit.value)) }
    if choices > 1, !fired.isEmpty || !held.isEmpty {
      let all: [(choice: Int, name: String, value: JSONValue)] =
        fired.map { ($0.choice, "edit", $0.edit.value) } + held.map { ($0.choice, "edit_held_back", $0.edit.value) }
      members.append(
        (
          "edits",
          .array(
            all.sorted { $0.choice < $1.choice }.map { item in
              var object = JSONObject()
              object.append("index", .integer(item.choice))
              object.append(item.name, item.value)
              return .object(object)
            })
        ))
    }
    return members
  }

  /// The `martlet` object of a piece of a stream; nil for events that do not concern edits.
  static func piece(_ event: AnswerEvent) -> (choice: Int, JSONValue)? {
    switch event {
    case .edited(let choice, let edit): (choice, ["event": "edit", "edit": edit.value])
    case .heldBack(let choice, let edit): (choice, ["event": "edit_held_back", "edit_held_back": edit.value])
    default: nil
    }
  }
}

extension FiredEdit {
  /// What an answer says of the edit that changed it.
  var value: JSONValue {
    [
      "id": .integer(id), "distance": .number(Double(distance)), "radius": .number(Double(radius)),
      "by": .string(means.rawValue),
    ]
  }
}

extension HeldEdit {
  var value: JSONValue { ["id": .integer(id), "reason": .string(reason)] }
}
