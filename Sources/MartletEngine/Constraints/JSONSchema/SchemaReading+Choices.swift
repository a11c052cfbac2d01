import MartletData

extension SchemaReading {
  static let choosingKeywords = [
    "anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies",
  ]

  /// What a keyword allows that combines whole schemas.
  mutating func choosing(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    guard let value = schema[keyword] else { return .all }
    switch keyword {
    case "anyOf":
      return try choices(value, keyword, node).reduce(ValueSet.none) { try $0.union(values(of: $1)) }
    case "oneOf": return try exactlyOne(try choices(value, keyword, node).map { try values(of: $0) }, node)
    case "not":
      return try denied(document.subschema(value, of: node, at: keyword), keyword, node)
    case "if":
      guard schema["then"] != nil || schema["else"] != nil else { return .all }
      let condition = try document.subschema(value, of: node, at: "if")
      let yes = try document.subschema(schema["then"] ?? true, of: node, at: "then")
      let no = try document.subschema(schema["else"] ?? true, of: node, at: "else")
      return try values(of: condition.intersection(yes)).union(
        denied(condition, keyword, node).intersection(values(of: no)))
    default:
      var result = try dependencies(value, keyword, node)
      // In a draft in which it is no keyword, what it forbids is allowed.
      if (keyword == "dependencies") != document.isBeforeDraft2019 { result.isNarrowed = true }
      return result
    }
  }

  private mutating func denied(_ requirement: Requirement, _ keyword: String, _ node: Int) throws -> ValueSet {
    guard let result = try values(of: requirement).complement() else {
      throw document.refusal(
        node, "`\(keyword)` is applied to a schema that cannot be negated exactly; describe what is allowed instead")
    }
    return result
  }

  /// `{"a": ["b"]}` or `{"a": schema}`: what holds where there is a property a.
  private mutating func dependencies(_ value: JSONValue, _ keyword: String, _ node: Int) throws -> ValueSet {
    guard let dependencies = value.object else {
      throw document.refusal(node, "`\(keyword)` must be an object")
    }
    var result = ValueSet.all
    for (name, dependency) in dependencies.distinctMembers {
      var absent = ObjectShape(), present = ObjectShape()
      absent.restrict(name, to: .never)
      present.restrict(name, isRequired: true)
      var needed = ValueSet.all
      if dependency.array != nil || keyword == "dependentRequired" {
        for other in try names(dependency, keyword, node) { present.restrict(other, isRequired: true) }
      } else {
        needed = try values(of: document.subschema(dependency, of: node, at: keyword, name.text))
      }
      var with = ValueSet.none, without = ValueSet.all
      with.objects = [present]
      without.objects = [absent]
      result = try result.intersection(without.union(with.intersection(needed)))
    }
    return result
  }

  // MARK: oneOf

  /// The values that are in exactly one of the sets.
  private mutating func exactlyOne(_ sets: [ValueSet], _ node: Int) throws -> ValueSet {
    if sets.count == 1 { return sets[0] }
    guard !sets.contains(where: \.isNarrowed) else { throw overlap(node, "ways that cannot be distinguished") }
    var result = ValueSet.none
    var isNarrowed = false
    result.hasNull = sets.count { $0.hasNull } == 1
    result.hasFalse = sets.count { $0.hasFalse } == 1
    result.hasTrue = sets.count { $0.hasTrue } == 1
    var numbers = NumberSet.none, strings = StringSet.none
    for set in sets {
      if try numbers.intersection(set.numbers).isEmpty {
        result.numbers = result.numbers.union(set.numbers)
      } else {
        guard let before = try numbers.complement(), let others = try set.numbers.complement() else {
          throw overlap(node, "multiples of the same numbers")
        }
        result.numbers = try result.numbers.intersection(others).union(set.numbers.intersection(before))
      }
      numbers = numbers.union(set.numbers)
      if try strings.intersection(set.strings).isEmpty {
        result.strings = try result.strings.union(set.strings)
      } else {
        result.strings = try result.strings.subtracting(set.strings).union(set.strings.subtracting(strings))
      }
      strings = try strings.union(set.strings)
    }
    result.arrays = try exclusive(
      sets.map(\.arrays), node, both: { $0.intersection($1) }, isEmpty: { try $0.isEmpty($1) },
      denials: { _, other in other.denials })
    result.objects = try exclusive(
      sets.map(\.objects), node, both: { try $0.intersection($1) }, isEmpty: { try $0.isEmpty($1) },
      denials: { shape, other in
        // Another choice is best denied by what this one speaks of: not by a property that it does not know.
        guard let denials = other.denials else { return nil }
        let known = denials.filter { denial in
          denial.members.allSatisfy { !$0.isRequired || shape.member($0.name) != nil }
        }
        if known.isEmpty { return denials }
        if known.count < denials.count { isNarrowed = true }
        return known
      })
    result.isNarrowed = isNarrowed
    return result
  }

  private func overlap(_ node: Int, _ what: String) -> EngineError {
    document.refusal(
      node,
      "`oneOf` has choices that overlap in \(what); use `anyOf`, or give each choice a property with a different constant"
    )
  }

  /// The shapes of every list, without what belongs to another list as well.
  private mutating func exclusive<Shape>(
    _ lists: [[Shape]], _ node: Int, both: (Shape, Shape) throws -> Shape,
    isEmpty: (inout SchemaReading, Shape) throws -> Bool, denials: (Shape, Shape) -> [Shape]?
  ) throws -> [Shape] {
    var result: [Shape] = []
    for (index, list) in lists.enumerated() {
      var rest = list
      for (place, others) in lists.enumerated() where place != index {
        for other in others {
          var next: [Shape] = []
          for shape in rest {
            try GrammarWork.spend(100)
            let overlapping = try both(shape, other)
            if try whileReading({ try isEmpty(&$0, overlapping) }) {
              next.append(shape)
              continue
            }
            guard let denials = denials(shape, other) else {
              throw overlap(node, "ways that cannot be distinguished")
            }
            for denial in denials {
              let part = try both(shape, denial)
              if try !whileReading({ try isEmpty(&$0, part) }) { next.append(part) }
            }
          }
          rest = next
          guard rest.count <= ValueSet.mostShapes else { throw overlap(node, "too many ways") }
        }
      }
      result += rest
    }
    return result
  }
}
