/// Objects that meet all of some keywords at once.
struct ObjectShape: Sendable {
  struct Member: Sendable {
    let name: ExactString
    var value: Requirement
    var isRequired = false
  }

  /// Names that are not those of ``members``, and what stands under them.
  struct FreeNames: Sendable {
    /// nil: all names.
    var names: RegularLanguage?
    var value = Requirement.anything
    /// Whether the schema speaks of them, rather than just not forbidding them.
    var isExplicit = false
    fileprivate var isEvaluated = false

    init(names: RegularLanguage? = nil, value: Requirement = .anything, isExplicit: Bool = false) {
      (self.names, self.value, self.isExplicit) = (names, value, isExplicit)
    }

    func contains(_ name: ExactString) -> Bool { names?.contains(name.text) ?? true }
  }

  /// Names with a value of their own, each once. One whose value is never is a name that must not come.
  private(set) var members: [Member] = []
  private var places: [ExactString: Int] = [:]
  /// Every other name is in exactly one of these.
  var free = [FreeNames()]
  var minimum = 0
  var maximum: Int?
  /// Whether a `properties` keyword says which members there are.
  var declaresMembers = false
  /// The names that a schema has spoken of; `unevaluatedProperties` is about the others.
  var evaluated = Evaluated()

  /// Names of `properties`, languages of `patternProperties`, or all.
  struct Evaluated: Sendable {
    var names: Set<ExactString> = []
    var patterns: [RegularLanguage] = []
    var isAll = false

    var isEmpty: Bool { names.isEmpty && patterns.isEmpty && !isAll }

    func contains(_ name: ExactString) -> Bool {
      isAll || names.contains(name) || patterns.contains { $0.contains(name.text) }
    }
  }

  /// How much it says: steps of work grow with it.
  var size: Int {
    members.reduce(0) { $0 + 1 + $1.value.parts.count } + free.reduce(0) { $0 + 1 + $1.value.parts.count }
  }

  var isAnything: Bool {
    members.allSatisfy { $0.value.isAnything && !$0.isRequired } && free.allSatisfy(\.value.isAnything) && minimum == 0
      && maximum == nil && !declaresMembers && evaluated.isEmpty
  }

  /// What stands under a name.
  func value(of name: ExactString) -> Requirement {
    if let place = places[name] { return members[place].value }
    return free.first { $0.contains(name) }?.value ?? .never
  }

  func member(_ name: ExactString) -> Member? { places[name].map { members[$0] } }

  /// Makes a name a member, with what stands under it already and `value`.
  mutating func restrict(_ name: ExactString, to value: Requirement = .anything, isRequired: Bool = false) {
    if let place = places[name] {
      members[place].value = members[place].value.intersection(value)
      members[place].isRequired = members[place].isRequired || isRequired
    } else {
      let value = self.value(of: name).intersection(value)
      places[name] = members.count
      members.append(Member(name: name, value: value, isRequired: isRequired))
    }
  }

  /// Narrows what stands under names that are not ``evaluated``, which then all are.
  mutating func restrictOthers(to value: Requirement) throws {
    guard !evaluated.isAll else { return }
    for place in members.indices where !evaluated.contains(members[place].name) {
      members[place].value = members[place].value.intersection(value)
    }
    try GrammarWork.spend(20 * members.count)
    for pattern in evaluated.patterns {
      var parts: [FreeNames] = []
      for part in free {
        var (inside, outside) = (part, part)
        inside.names = try part.names?.intersection(pattern) ?? pattern
        outside.names = try part.names?.intersection(pattern.complement()) ?? pattern.complement()
        inside.isEvaluated = true
        parts += [inside, outside].filter { $0.names?.isEmpty == false }
      }
      free = parts
    }
    for place in free.indices where !free[place].isEvaluated {
      free[place].value = free[place].value.intersection(value)
      free[place].isExplicit = true
    }
    for place in free.indices { free[place].isEvaluated = false }
    evaluated.isAll = true
  }

  var isEvidentlyEmpty: Bool {
    if let maximum, maximum < minimum { return true }
    return members.contains { $0.isRequired && $0.value.isNever }
  }

  func intersection(_ other: ObjectShape) throws -> ObjectShape {
    try GrammarWork.spend(40 + 30 * (size + other.size) + 20 * free.count * other.free.count)
    var result = self
    for member in other.members { result.restrict(member.name, to: member.value, isRequired: member.isRequired) }
    for place in result.members.indices where other.places[result.members[place].name] == nil {
      let value = other.value(of: result.members[place].name)
      result.members[place].value = result.members[place].value.intersection(value)
    }
    result.free = []
    for left in free {
      for right in other.free {
        var both = FreeNames(
          names: left.names ?? right.names, value: left.value.intersection(right.value),
          isExplicit: left.isExplicit || right.isExplicit)
        if let names = left.names, let others = right.names {
          let language = try names.intersection(others)
          if language.isEmpty { continue }
          both.names = language
        }
        result.free.append(both)
      }
    }
    guard result.free.count <= 64 else {
      throw EngineError("its patterns of property names overlap in more than 64 ways; use fewer")
    }
    result.minimum = max(minimum, other.minimum)
    result.maximum = [maximum, other.maximum].compactMap { $0 }.min()
    result.declaresMembers = declaresMembers || other.declaresMembers
    result.evaluated.names.formUnion(other.evaluated.names)
    result.evaluated.patterns += other.evaluated.patterns
    result.evaluated.isAll = evaluated.isAll || other.evaluated.isAll
    return result
  }

  /// Shapes of which an object has at least one exactly where it has not this one; nil where they cannot be told.
  var denials: [ObjectShape]? {
    guard free.allSatisfy(\.value.isAnything) else { return nil }
    var result: [ObjectShape] = []
    func append(_ name: ExactString, _ value: Requirement, isRequired: Bool) {
      var shape = ObjectShape()
      shape.restrict(name, to: value, isRequired: isRequired)
      result.append(shape)
    }
    for member in members {
      if member.isRequired { append(member.name, .never, isRequired: false) }
      for denial in member.value.denials { append(member.name, denial, isRequired: true) }
    }
    if minimum > 0 {
      var shape = ObjectShape()
      shape.maximum = minimum - 1
      result.append(shape)
    }
    if let maximum, maximum < .max {
      var shape = ObjectShape()
      shape.minimum = maximum + 1
      result.append(shape)
    }
    return result
  }
}
