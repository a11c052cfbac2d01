import MartletData

extension SchemaGrammar {
  /// What has been written of an object, as far as its keywords ask.
  private struct Progress: Hashable {
    var isBegun = false
    /// Different names so far, where there must be some; of the free ones one is sure to be different.
    var names = 0
    var hasFree = false
    /// Members so far, where there may be only some.
    var members = 0
  }

  /// Members come in their order, each at most once; free names come last.
  mutating func object(
    _ shape: ObjectShape, _ requirement: Requirement, _ grammar: inout Grammar
  ) throws -> Expression {
    var members: [(expression: Expression, isRequired: Bool)] = []
    var required = 0
    try GrammarWork.spend(50 * shape.members.count)
    for member in shape.members where try !reading.isEmpty(member.value) {
      let name = JSONValue.string(member.name.text).text
      let value = try rule(member.value, &grammar)
      members.append((try grammar.named(.sequence([.literal(name), text.colon, value])), member.isRequired))
      if member.isRequired { required += 1 }
    }
    let minimum = shape.minimum <= required ? 0 : shape.minimum
    let maximum = shape.maximum.flatMap { $0 >= members.count && shape.free.allSatisfy(\.value.isNever) ? nil : $0 }
    guard max(minimum, maximum ?? 0) <= 1000 else {
      throw refusal(requirement, "`minProperties` and `maxProperties` are supported up to 1000")
    }
    let free = try freeMember(shape, requirement, isNeeded: members.count < minimum, &grammar)
    guard minimum <= members.count + (free == nil ? 0 : 1) else {
      throw refusal(
        requirement,
        "`minProperties` is \(minimum); undeclared names may repeat, so declare that number under `properties`")
    }

    func after(_ progress: Progress, isFree: Bool) -> Progress? {
      var next = progress
      next.isBegun = true
      if minimum > 0, !(isFree && progress.hasFree) { next.names = min(minimum, progress.names + 1) }
      if minimum > 0, isFree { next.hasFree = true }
      guard let maximum else { return next }
      next.members += 1
      return next.members > maximum ? nil : next
    }
    func separated(_ progress: Progress, _ member: Expression) -> Expression {
      progress.isBegun ? .sequence([text.comma, member]) : member
    }

    // From the start, which progress is possible before each member.
    var stages: [Set<Progress>] = [[Progress()]]
    for member in members {
      var next = Set((stages.last ?? []).compactMap { after($0, isFree: false) })
      if !member.isRequired { next.formUnion(stages.last ?? []) }
      stages.append(next)
      guard next.count <= 2 || next.count * members.count <= 20_000 else {
        throw refusal(requirement, "`minProperties` and `maxProperties` are too large; leave them out")
      }
    }
    // From the end, what can follow.
    var rest = try ends(stages[members.count], free, minimum, after, separated, &grammar)
    for (index, member) in members.enumerated().reversed() {
      try GrammarWork.spend(50 * stages[index].count)
      var before: [Progress: Expression] = [:]
      for progress in stages[index] {
        var choices: [Expression] = []
        if let next = after(progress, isFree: false), let following = rest[next] {
          choices.append(.sequence([separated(progress, member.expression), following]))
        }
        if !member.isRequired, let following = rest[progress] { choices.append(following) }
        if !choices.isEmpty { before[progress] = try grammar.named(.choice(choices)) }
      }
      rest = before
    }
    guard let content = rest[Progress()] else {
      throw refusal(requirement, "`minProperties` and `maxProperties` allow no object; relax them")
    }
    return .sequence([.literal("{"), text.space, content, text.space, .literal("}")])
  }

  /// What can follow the last declared member.
  private func ends(
    _ stage: Set<Progress>, _ free: Expression?, _ minimum: Int, _ after: (Progress, Bool) -> Progress?,
    _ separated: (Progress, Expression) -> Expression, _ grammar: inout Grammar
  ) throws -> [Progress: Expression] {
    var all: [Progress] = Array(stage)
    var seen = stage
    if free != nil {
      var index = 0
      while index < all.count {
        if let next = after(all[index], true), seen.insert(next).inserted { all.append(next) }
        index += 1
      }
    }
    // Without enough names nothing can end: only what leads to an end is written.
    var useful = seen.filter { $0.names >= minimum }
    var isGrowing = free != nil
    while isGrowing {
      let more = seen.filter { progress in
        !useful.contains(progress) && after(progress, true).map { useful.contains($0) } == true
      }
      useful.formUnion(more)
      isGrowing = !more.isEmpty
    }
    var rules: [Progress: Expression] = [:]
    for progress in all where useful.contains(progress) { rules[progress] = try grammar.declare() }
    for (progress, rule) in rules {
      var choices: [Expression] = progress.names >= minimum ? [.nothing] : []
      if let free, let next = after(progress, true), let following = rules[next] {
        choices.append(.sequence([separated(progress, free), following]))
      }
      try grammar.define(rule, .choice(choices))
    }
    return rules
  }

  /// A member whose name is none of the declared ones; nil where there is none. Where the schema declares properties
  /// and does not speak of others, there is one only if it `isNeeded`.
  private mutating func freeMember(
    _ shape: ObjectShape, _ requirement: Requirement, isNeeded: Bool, _ grammar: inout Grammar
  ) throws -> Expression? {
    let isOpen = isNeeded || !shape.declaresMembers && !shape.free.contains { $0.isExplicit && !$0.value.isNever }
    var choices: [Expression] = []
    for free in shape.free where isOpen || free.isExplicit {
      guard try !reading.isEmpty(free.value) else { continue }
      let taken = shape.members.map(\.name).filter(free.contains)
      var names = free.names
      if !taken.isEmpty {
        let others: RegularLanguage
        do { others = try RegularLanguage.literals(taken.map(\.text)).complement() } catch let error as EngineError {
          throw refusal(requirement, "the list of declared names with `additionalProperties` \(error.description)")
        }
        names = try names?.intersection(others) ?? others
      }
      if let names, names.isEmpty { continue }
      let name = try names?.jsonString(into: &grammar) ?? text.string
      choices.append(.sequence([name, text.colon, try rule(free.value, &grammar)]))
    }
    return choices.isEmpty ? nil : try grammar.named(.choice(choices))
  }
}
