import MartletData

extension SchemaReading {
  static let numberKeywords = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"]
  static let stringKeywords = ["minLength", "maxLength", "pattern", "format"]

  /// What a keyword of numbers allows; all values of other types.
  mutating func numbers(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    guard let value = schema[keyword] else { return .all }
    guard let units = NumberSet.units(value) else {
      let hint = value.bool == nil ? "" : " (a boolean is draft 4's form: give the bound itself)"
      throw document.refusal(node, "`\(keyword)` must be a number, not \(value.kind)\(hint)")
    }
    var result = ValueSet.all
    switch keyword {
    case "minimum": result.numbers = NumberSet(from: units.up)
    case "exclusiveMinimum": result.numbers = NumberSet(from: units.down + 1)
    case "maximum": result.numbers = NumberSet(upTo: units.down)
    case "exclusiveMaximum": result.numbers = NumberSet(upTo: units.up - 1)
    default:
      guard units.down > 0, units.down == units.up, NumberSet.limits.contains(units.down) else {
        throw document.refusal(node, "`multipleOf` must be a number above 0, with at most 15 decimals and 64 bits")
      }
      result.numbers = NumberSet(multiplesOf: units.down)
    }
    if result.numbers.isEmpty {
      let cure = units.down > 0 ? "up to \(Int64.max); lower it" : "down to \(Int64.min); raise it"
      noteUnwritable(
        document.refusal(node, "`\(keyword)` is \(value.text), but numbers are limited to 64 bits, \(cure)")
          .description)
    }
    return result
  }

  /// What a keyword of strings allows; all values of other types.
  mutating func strings(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> ValueSet {
    guard let value = schema[keyword] else { return .all }
    var result = ValueSet.all
    switch keyword {
    case "minLength": result.strings = .lengths(try count(keyword, schema, node) ?? 0, nil)
    case "maxLength": result.strings = .lengths(0, try count(keyword, schema, node))
    case "pattern": result.strings = .language(try pattern(value, keyword, node))
    default:
      guard let name = value.string else { throw document.refusal(node, "`format` must be a string") }
      // OpenAPI's formats of numbers; a 64-bit number is all that is written anyway.
      if ["int64", "float", "double"].contains(name) { return .all }
      if name == "int32" {
        result.numbers = NumberSet(
          NumberSet.Units(Int32.min) * NumberSet.one...NumberSet.Units(Int32.max) * NumberSet.one)
        return result
      }
      do {
        guard let language = try RegularLanguage.format(name) else {
          throw EngineError(
            "\(JSONValue.string(String(name.prefix(60))).text) is not supported; leave it out or use `pattern`")
        }
        result.strings = .language(language)
      } catch let error as EngineError {
        throw document.refusal(node, "`format` \(error.description)")
      }
    }
    return result
  }

  mutating func pattern(_ value: JSONValue, _ keyword: String, _ node: Int) throws -> RegularLanguage {
    guard let text = value.string else { throw document.refusal(node, "`\(keyword)` must be a string") }
    do { return try RegularLanguage(pattern: text) } catch let error as EngineError {
      throw document.refusal(node, "`\(keyword)` \(error.description)")
    }
  }
}
