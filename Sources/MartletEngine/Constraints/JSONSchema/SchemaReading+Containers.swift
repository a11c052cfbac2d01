import MartletData

extension SchemaReading {
  // Keywords that mean something only together are read together, under the name of the first.
  static let arrayKeywords = [
    ["items", "prefixItems", "additionalItems"], ["minItems"], ["maxItems"], ["uniqueItems"],
    ["contains", "minContains", "maxContains"],
  ]
  static let objectKeywords = [
    ["properties", "additionalProperties", "patternProperties"], ["required"], ["propertyNames"], ["minProperties"],
    ["maxProperties"],
  ]

  /// What keywords of arrays allow; all values of other types.
  mutating func arrays(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    var shape = ArrayShape()
    switch keyword {
    case "items":
      var rest = "items"
      var list = document.isBeforeDraft2019 ? nil : schema["prefixItems"]
      // Up to 2019 a list of schemas stood under `items`, and the others' under `additionalItems`.
      let isOld = schema["items"]?.array != nil && list == nil
      if isOld { (rest, list) = ("additionalItems", schema["items"]) }
      if let list {
        let name = isOld ? "items" : "prefixItems"
        guard let schemas = list.array else {
          throw document.refusal(node, "`\(name)` must be a list of schemas")
        }
        shape.prefix = try schemas.enumerated().map { try document.subschema($1, of: node, at: name, String($0)) }
      }
      shape.evaluated = shape.prefix.count
      if let schema = schema[rest] {
        shape.rest = try document.subschema(schema, of: node, at: rest)
        shape.evaluated = .max
      }
    case "minItems": shape.minimum = try count(keyword, schema, node) ?? 0
    case "maxItems": shape.maximum = try count(keyword, schema, node)
    case "uniqueItems":
      guard let flag = schema[keyword]?.bool else { throw document.refusal(node, "`uniqueItems` must be a boolean") }
      shape.isUnique = flag
    default:
      // Without `contains` the numbers mean nothing.
      guard let value = schema["contains"] else { return .all }
      var least = 1
      var most: Int?
      if !document.isBeforeDraft2019 {
        least = try count("minContains", schema, node) ?? 1
        most = try count("maxContains", schema, node)
      }
      if least == 0, most == nil { return .all }
      if let most, most < least { return ValueSet.all.without(arrays: true) }
      let contained = try document.subschema(value, of: node, at: "contains")
      shape.counts = [ArrayShape.Count(value: contained, minimum: least, maximum: most)]
    }
    var result = ValueSet.all
    result.arrays = shape.isEvidentlyEmpty ? [] : [shape]
    return result
  }

  /// What keywords of objects allow; all values of other types.
  mutating func objects(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    var shape = ObjectShape()
    var isNarrowed = false
    switch keyword {
    case "properties": shape = try properties(schema, node)
    case "required":
      for name in try names(schema[keyword], keyword, node) { shape.restrict(name, isRequired: true) }
    case "propertyNames":
      let names = try document.subschema(schema[keyword] ?? true, of: node, at: keyword)
      let values = try values(of: names)
      let allowed = values.strings
      if allowed.isAll { return .all }
      isNarrowed = values.isNarrowed
      let language = try allowed.language()
      let others = ObjectShape.FreeNames(names: try language.complement(), value: .never, isExplicit: true)
      shape.free = [ObjectShape.FreeNames(names: language), others]
    case "minProperties": shape.minimum = try count(keyword, schema, node) ?? 0
    default: shape.maximum = try count(keyword, schema, node)
    }
    var result = ValueSet.all
    result.objects = shape.isEvidentlyEmpty ? [] : [shape]
    result.isNarrowed = isNarrowed
    return result
  }

  func names(_ value: JSONValue?, _ keyword: String, _ node: Int) throws -> [ExactString] {
    guard let list = value?.array else {
      throw document.refusal(node, "`\(keyword)` must be a list of property names")
    }
    return try list.map { name in
      guard let name = name.string else {
        throw document.refusal(node, "`\(keyword)` must be a list of property names, which are strings")
      }
      return ExactString(name)
    }
  }

  /// Which schema stands under which name.
  private mutating func properties(_ schema: JSONObject, _ node: Int) throws -> ObjectShape {
    var shape = ObjectShape()
    // Names by the patterns that they match: every pattern cuts each class so far in two.
    var classes: [(free: ObjectShape.FreeNames, isMatched: Bool)] = [(ObjectShape.FreeNames(), false)]
    if let value = schema["patternProperties"] {
      guard let patterns = value.object else {
        throw document.refusal(node, "`patternProperties` must be an object")
      }
      for pattern in patterns.distinctMembers {
        let language = try self.pattern(.string(pattern.name.text), "patternProperties", node)
        shape.evaluated.patterns.append(language)
        let others = try language.complement()
        let value = try document.subschema(pattern.value, of: node, at: "patternProperties", pattern.name.text)
        var next: [(free: ObjectShape.FreeNames, isMatched: Bool)] = []
        for (free, isMatched) in classes {
          let inside = try free.names.map { try $0.intersection(language) } ?? language
          let outside = try free.names.map { try $0.intersection(others) } ?? others
          if !inside.isEmpty {
            let both = free.value.intersection(value)
            next.append((ObjectShape.FreeNames(names: inside, value: both, isExplicit: true), true))
          }
          if !outside.isEmpty {
            next.append(
              (ObjectShape.FreeNames(names: outside, value: free.value, isExplicit: free.isExplicit), isMatched))
          }
        }
        classes = next
        guard classes.count <= 64 else {
          throw document.refusal(node, "`patternProperties` overlap in more than 64 ways; use fewer")
        }
      }
    }
    // A declared name obeys the patterns it matches, but not `additionalProperties`.
    shape.free = classes.map(\.free)
    if let value = schema["properties"] {
      guard let declared = value.object else { throw document.refusal(node, "`properties` must be an object") }
      for member in declared.distinctMembers {
        shape.evaluated.names.insert(member.name)
        shape.restrict(
          member.name, to: try document.subschema(member.value, of: node, at: "properties", member.name.text))
      }
      shape.declaresMembers = !declared.isEmpty
    }
    if let additional = schema["additionalProperties"] {
      let value = try document.subschema(additional, of: node, at: "additionalProperties")
      shape.evaluated.isAll = true
      shape.free = classes.map { free, isMatched in
        guard !isMatched else { return free }
        return ObjectShape.FreeNames(names: free.names, value: value, isExplicit: true)
      }
    }
    return shape
  }
}

extension SchemaReading {
  /// What is left of `values`, which the other keywords of a schema allow, by `unevaluatedProperties` and
  /// `unevaluatedItems`. Where several alternatives hold at once, only what one of them speaks of counts.
  mutating func unevaluated(_ values: ValueSet, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    var result = values
    result.isNarrowed = true
    if let value = schema["unevaluatedProperties"] {
      let requirement = try document.subschema(value, of: node, at: "unevaluatedProperties")
      for place in result.objects.indices { try result.objects[place].restrictOthers(to: requirement) }
      result.objects.removeAll(where: \.isEvidentlyEmpty)
    }
    if let value = schema["unevaluatedItems"] {
      let requirement = try document.subschema(value, of: node, at: "unevaluatedItems")
      for place in result.arrays.indices { result.arrays[place].restrictOthers(to: requirement) }
      result.arrays.removeAll(where: \.isEvidentlyEmpty)
    }
    return result
  }
}

extension ValueSet {
  /// The set without its arrays, or without its objects.
  func without(arrays: Bool = false, objects: Bool = false) -> ValueSet {
    var result = self
    if arrays { result.arrays = [] }
    if objects { result.objects = [] }
    return result
  }
}
