/// A set of JSON values, by type. As the types have nothing in common, each is worked out alone.
struct ValueSet: Sendable {
  var hasNull = false, hasFalse = false, hasTrue = false
  var numbers = NumberSet.none
  var strings = StringSet.none
  /// An array belongs to the set when it has at least one of the shapes; likewise an object.
  var arrays: [ArrayShape] = []
  var objects: [ObjectShape] = []
  /// Whether values of the schema may be missing here, so that what is missing cannot be taken for denied.
  var isNarrowed = false

  static let none = ValueSet()
  static let all = ValueSet(
    hasNull: true, hasFalse: true, hasTrue: true, numbers: .all, strings: .all, arrays: [ArrayShape()],
    objects: [ObjectShape()])

  /// More shapes than this are not worked out.
  static let mostShapes = 1000

  var isAll: Bool {
    hasNull && hasFalse && hasTrue && numbers.isAll && strings.isAll && arrays.contains(where: \.isAnything)
      && objects.contains(where: \.isAnything)
  }

  func union(_ other: ValueSet) throws -> ValueSet {
    try GrammarWork.spend(40 + 10 * (shapeCount + other.shapeCount))
    var result = self
    result.hasNull = hasNull || other.hasNull
    result.hasFalse = hasFalse || other.hasFalse
    result.hasTrue = hasTrue || other.hasTrue
    result.numbers = numbers.union(other.numbers)
    result.strings = try strings.union(other.strings)
    result.arrays = arrays.contains(where: \.isAnything) ? arrays : arrays + other.arrays
    result.objects = objects.contains(where: \.isAnything) ? objects : objects + other.objects
    result.isNarrowed = isNarrowed || other.isNarrowed
    try result.checkSize()
    return result
  }

  private var shapeCount: Int { arrays.count + objects.count }

  func intersection(_ other: ValueSet) throws -> ValueSet {
    try GrammarWork.spend(40)
    var result = ValueSet()
    result.hasNull = hasNull && other.hasNull
    result.hasFalse = hasFalse && other.hasFalse
    result.hasTrue = hasTrue && other.hasTrue
    result.numbers = try numbers.intersection(other.numbers)
    result.strings = try strings.intersection(other.strings)
    result.isNarrowed = isNarrowed || other.isNarrowed
    guard arrays.count * other.arrays.count + objects.count * other.objects.count <= 20 * Self.mostShapes else {
      throw Self.tooLarge
    }
    for left in arrays {
      for right in other.arrays {
        try GrammarWork.spend(40 + 20 * (left.size + right.size))
        let both = left.isAnything ? right : left.intersection(right)
        if !both.isEvidentlyEmpty { result.arrays.append(both) }
      }
      try result.checkSize()
    }
    for left in objects {
      for right in other.objects {
        let both = left.isAnything ? right : try left.intersection(right)
        if !both.isEvidentlyEmpty { result.objects.append(both) }
      }
      try result.checkSize()
    }
    try result.checkSize()
    return result
  }

  /// All other values; nil where they cannot be told.
  func complement() throws -> ValueSet? {
    var result = ValueSet(hasNull: !hasNull, hasFalse: !hasFalse, hasTrue: !hasTrue)
    guard !isNarrowed, let numbers = try numbers.complement() else { return nil }
    result.numbers = numbers
    result.strings = try StringSet.all.subtracting(strings)
    var rest = ValueSet(arrays: [ArrayShape()], objects: [ObjectShape()])
    for shape in arrays {
      try GrammarWork.spend(40 + 20 * shape.size)
      guard let denials = shape.denials else { return nil }
      rest = try rest.intersection(ValueSet(arrays: denials, objects: [ObjectShape()]))
    }
    for shape in objects {
      try GrammarWork.spend(40 + 40 * shape.size)
      guard let denials = shape.denials else { return nil }
      rest = try rest.intersection(ValueSet(arrays: [ArrayShape()], objects: denials))
    }
    result.arrays = rest.arrays
    result.objects = rest.objects
    return result
  }

  private static let tooLarge = EngineError(
    "`anyOf`, `oneOf`, `not` and `if` combine to more than \(mostShapes) kinds of arrays or objects; use fewer")

  private func checkSize() throws {
    guard arrays.count <= Self.mostShapes, objects.count <= Self.mostShapes else { throw Self.tooLarge }
  }
}
