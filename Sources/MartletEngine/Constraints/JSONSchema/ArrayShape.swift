/// Arrays that meet all of some keywords at once.
struct ArrayShape: Sendable {
  /// How many items from a place on meet a requirement.
  struct Count: Sendable {
    var value: Requirement
    var from = 0
    var minimum: Int
    var maximum: Int?
  }

  /// What the first items are, each its own; the others are `rest`.
  var prefix: [Requirement] = []
  var rest = Requirement.anything
  var minimum = 0
  var maximum: Int?
  var counts: [Count] = []
  var isUnique = false
  /// How many of the first items a schema has spoken of; `unevaluatedItems` is about the others.
  var evaluated = 0

  /// How much it says: steps of work grow with it.
  var size: Int {
    prefix.reduce(rest.parts.count) { $0 + 1 + $1.parts.count } + counts.reduce(0) { $0 + 1 + $1.value.parts.count }
  }

  var isAnything: Bool {
    prefix.allSatisfy(\.isAnything) && rest.isAnything && minimum == 0 && maximum == nil && counts.isEmpty && !isUnique
      && evaluated == 0
  }

  /// Narrows what items are that are not ``evaluated``, which then all are.
  mutating func restrictOthers(to value: Requirement) {
    guard evaluated < .max else { return }
    let length = max(prefix.count, evaluated)
    prefix = (0..<length).map { $0 < evaluated ? item($0) : item($0).intersection(value) }
    rest = rest.intersection(value)
    evaluated = .max
  }

  func item(_ index: Int) -> Requirement { index < prefix.count ? prefix[index] : rest }

  /// No array can be as long as this says, whatever its items.
  var isEvidentlyEmpty: Bool {
    if let maximum, maximum < minimum { return true }
    if rest.isNever, minimum > prefix.count { return true }
    return prefix.prefix(minimum).contains(where: \.isNever)
  }

  func intersection(_ other: ArrayShape) -> ArrayShape {
    var result = self
    let length = max(prefix.count, other.prefix.count)
    result.prefix = (0..<length).map { item($0).intersection(other.item($0)) }
    result.rest = rest.intersection(other.rest)
    result.minimum = max(minimum, other.minimum)
    result.maximum = [maximum, other.maximum].compactMap { $0 }.min()
    result.counts += other.counts
    result.isUnique = isUnique || other.isUnique
    result.evaluated = max(evaluated, other.evaluated)
    return result
  }

  /// Shapes of which an array has at least one exactly where it has not this one; nil where they cannot be told.
  var denials: [ArrayShape]? {
    if isUnique { return nil }
    var result: [ArrayShape] = []
    for (index, item) in prefix.enumerated() {
      for denial in item.denials {
        let before = [Requirement](repeating: .anything, count: index)
        result.append(ArrayShape(prefix: before + [denial], minimum: index + 1))
      }
    }
    if rest.isNever {
      result.append(ArrayShape(minimum: prefix.count + 1))
    } else {
      result += rest.denials.map { ArrayShape(counts: [Count(value: $0, from: prefix.count, minimum: 1)]) }
    }
    if minimum > 0 { result.append(ArrayShape(maximum: minimum - 1)) }
    if let maximum, maximum < .max { result.append(ArrayShape(minimum: maximum + 1)) }
    for count in counts {
      if count.minimum > 0 {
        var fewer = count
        (fewer.minimum, fewer.maximum) = (0, count.minimum - 1)
        result.append(ArrayShape(counts: [fewer]))
      }
      if let maximum = count.maximum, maximum < .max {
        var more = count
        (more.minimum, more.maximum) = (maximum + 1, nil)
        result.append(ArrayShape(counts: [more]))
      }
    }
    return result
  }
}
