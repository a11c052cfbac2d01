import MartletData

extension SchemaGrammar {
  /// What has been written of an array, as far as its keywords ask.
  private struct Progress: Hashable {
    /// Items so far, as far as they are told apart.
    var items = 0
    /// Items that met each count's requirement.
    var counts: [Int] = []
    /// Distinct values that have been written, or the one that comes next where they come in order.
    var taken: UInt64 = 0
  }

  private static let mostItems = 10_000
  private static let mostStates = 5_000

  mutating func array(
    _ shape: ArrayShape, _ requirement: Requirement, _ grammar: inout Grammar
  ) throws -> Expression {
    var shape = shape
    // What no value can be ends the array.
    if let end = try (0...shape.prefix.count).first(where: { try reading.isEmpty(shape.item($0)) }) {
      shape.maximum = min(shape.maximum ?? end, end)
      shape.prefix = Array(shape.prefix.prefix(end))
      shape.rest = .never
    }
    let longest = max(shape.minimum, shape.maximum ?? 0)
    guard longest <= Self.mostItems else {
      throw refusal(requirement, "`minItems` and `maxItems` are supported up to \(Self.mostItems)")
    }
    if shape.isUnique {
      if (shape.maximum ?? .max) <= 1 {
        shape.isUnique = false
      } else if let most = shape.maximum, most <= 16, try areDisjoint((0..<most).map(shape.item)) {
        shape.isUnique = false
      }
    }
    let content =
      shape.isUnique || !shape.counts.isEmpty
      ? try states(shape, requirement, &grammar) : try list(shape, &grammar)
    return .sequence([.literal("["), text.space, content, text.space, .literal("]")])
  }

  private mutating func areDisjoint(_ items: [Requirement]) throws -> Bool {
    for (index, item) in items.enumerated() {
      for other in items[..<index] where try !reading.isEmpty(item.intersection(other)) { return false }
    }
    return true
  }

  /// Items whose places alone matter.
  private mutating func list(_ shape: ArrayShape, _ grammar: inout Grammar) throws -> Expression {
    let prefix = min(shape.prefix.count, shape.maximum ?? .max)
    var rest = Expression.nothing
    if (shape.maximum ?? .max) > prefix {
      let item = try rule(shape.rest, &grammar)
      let more = Expression.sequence([text.comma, item])
      let least = max(0, shape.minimum - prefix)
      let most = shape.maximum.map { $0 - prefix }
      if prefix > 0 {
        rest = .repeated(more, minimum: least, maximum: most)
      } else {
        rest = .sequence([item, .repeated(more, minimum: max(0, least - 1), maximum: most.map { $0 - 1 })])
        if least == 0 { rest = .optional(rest) }
      }
    }
    for index in (0..<prefix).reversed() {
      let item = try rule(shape.prefix[index], &grammar)
      let taken = Expression.sequence((index > 0 ? [text.comma] : []) + [item, rest])
      rest = try grammar.named(index < shape.minimum ? taken : .optional(taken))
    }
    return rest
  }

  // MARK: contains and uniqueItems

  /// Items that depend on those before them: a rule for every state of the counts.
  private mutating func states(
    _ shape: ArrayShape, _ requirement: Requirement, _ grammar: inout Grammar
  ) throws -> Expression {
    let values = shape.isUnique ? try distinctValues(shape, requirement) : []
    // From this place on all are alike; the first has no comma before it.
    let last = max(
      1, shape.prefix.count, shape.minimum, shape.maximum ?? 0, shape.counts.map(\.from).max() ?? 0)
    var steps: [Progress: [(item: Expression, next: Progress)]] = [:]
    let start = Progress(counts: shape.counts.map { _ in 0 })
    var open = [start]
    while let progress = open.popLast() {
      guard steps[progress] == nil else { continue }
      guard steps.count < Self.mostStates else {
        throw refusal(requirement, "`contains` or `uniqueItems` has too many cases; lower the counts or add `maxItems`")
      }
      try GrammarWork.spend(200)
      var found: [(item: Expression, next: Progress)] = []
      if progress.items < shape.maximum ?? .max {
        for (item, next) in try items(shape, progress, requirement) where try !reading.isEmpty(item) {
          var next = next
          next.items = min(last, progress.items + 1)
          if !shape.isUnique {
            found.append((try rule(item, &grammar), next))
            continue
          }
          let allowed = try reading.values(of: item)
          for (place, value) in values.enumerated() {
            guard let taken = taking(place, of: values.count, after: progress.taken) else { continue }
            try GrammarWork.spend(20 + allowed.numbers.pieces.count)
            guard allowed.contains(scalar: value) else { continue }
            var next = next
            next.taken = taken
            found.append((.literal(value.text), next))
          }
        }
      }
      steps[progress] = found
      open += found.map(\.next)
    }
    let content = try write(steps, from: start, &grammar) { progress in
      progress.items >= shape.minimum && zip(shape.counts, progress.counts).allSatisfy { $1 >= $0.minimum }
    }
    guard let content else {
      throw refusal(requirement, "`contains`, `uniqueItems` and the other keywords allow no array; relax one")
    }
    return content
  }

  /// Rules for the states from which an end can be reached; nil where the start is none.
  private func write(
    _ steps: [Progress: [(item: Expression, next: Progress)]], from start: Progress, _ grammar: inout Grammar,
    isEnd: (Progress) -> Bool
  ) throws -> Expression? {
    var before: [Progress: [Progress]] = [:]
    for (progress, found) in steps { for step in found { before[step.next, default: []].append(progress) } }
    var open = steps.keys.filter(isEnd)
    var rules: [Progress: Expression] = [:]
    while let progress = open.popLast() {
      guard rules[progress] == nil else { continue }
      rules[progress] = try grammar.declare()
      open += before[progress] ?? []
    }
    for (progress, rule) in rules {
      var choices: [Expression] = isEnd(progress) ? [.nothing] : []
      for (item, next) in steps[progress] ?? [] {
        guard let following = rules[next] else { continue }
        choices.append(.sequence((progress.items > 0 ? [text.comma] : []) + [item, following]))
      }
      try grammar.define(rule, .choice(choices))
    }
    return rules[start]
  }

  /// What the next item may be, and the counts after it.
  private func items(
    _ shape: ArrayShape, _ progress: Progress, _ requirement: Requirement
  ) throws -> [(item: Requirement, next: Progress)] {
    var result = [(item: shape.item(progress.items), next: progress)]
    for (index, count) in shape.counts.enumerated() where progress.items >= count.from {
      let done = progress.counts[index]
      var next: [(item: Requirement, next: Progress)] = []
      for (item, state) in result {
        if done < count.maximum ?? count.minimum {
          var counted = state
          counted.counts[index] += 1
          next.append((item.intersection(count.value), counted))
        }
        if count.maximum == nil {
          // One that is not counted may meet it as well.
          next.append((item, state))
        } else {
          next += count.value.denials.map { (item.intersection($0), state) }
        }
      }
      result = next
      guard result.count <= 64 else { throw refusal(requirement, "`contains` has too many cases; use fewer") }
    }
    return result
  }

  /// All values that items can be, where these are some scalars.
  private mutating func distinctValues(_ shape: ArrayShape, _ requirement: Requirement) throws -> [JSONValue] {
    var result: [JSONValue] = []
    var seen: Set<ExactString> = []
    let places = (shape.maximum ?? .max) > shape.prefix.count ? shape.prefix + [shape.rest] : shape.prefix
    for item in places {
      guard let values = try reading.values(of: item).scalars, values.count <= 256 else {
        throw refusal(
          requirement, "`uniqueItems` is supported where items have an `enum` of at most 256 scalars; leave it out")
      }
      for value in values where seen.insert(ExactString(value.text)).inserted { result.append(value) }
    }
    guard result.count <= 8 || shape.prefix.isEmpty && result.count <= 256 else {
      throw refusal(requirement, "`uniqueItems` with `prefixItems` is supported for at most 8 values; leave it out")
    }
    return result
  }

  /// Few values come in any order, each once; many in that of the list, where it is enough to know the next.
  private func taking(_ place: Int, of count: Int, after taken: UInt64) -> UInt64? {
    if count <= 8 {
      let bit = UInt64(1) << UInt64(place)
      return taken & bit == 0 ? taken | bit : nil
    }
    return place >= taken ? UInt64(place) + 1 : nil
  }

}

extension ValueSet {
  /// All values, where these are some scalars; nil where they are many, or arrays or objects.
  var scalars: [JSONValue]? {
    guard arrays.isEmpty, objects.isEmpty else { return nil }
    var result: [JSONValue] = []
    switch strings {
    case .texts(let texts): result += texts.map { .string($0.text) }
    default: guard strings.isEmpty else { return nil }
    }
    for piece in numbers.pieces where !piece.isEmpty {
      guard let ends = piece.ends, piece.kind != .fractional, let step = piece.step,
        (ends.upperBound - ends.lowerBound) / step < 256
      else { return nil }
      for index in 0...(ends.upperBound - ends.lowerBound) / step {
        let text = NumberGrammar.text(ends.lowerBound + index * step)
        guard let value = Int(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.number) else { return nil }
        result.append(value)
      }
    }
    if hasTrue { result.append(true) }
    if hasFalse { result.append(false) }
    if hasNull { result.append(.null) }
    return result
  }

  func contains(scalar value: JSONValue) -> Bool {
    switch value {
    case .null: return hasNull
    case .bool(let flag): return flag ? hasTrue : hasFalse
    case .string(let text): return strings.contains(ExactString(text))
    case .integer, .number:
      guard let units = NumberSet.units(value), units.down == units.up else { return false }
      return numbers.pieces.contains { piece in
        piece.range.contains(units.down) && piece.steps.allSatisfy { units.down % $0 == 0 }
          && (piece.kind == .any || (piece.kind == .whole) == (units.down % NumberSet.one == 0))
      }
    default: return false
    }
  }
}
