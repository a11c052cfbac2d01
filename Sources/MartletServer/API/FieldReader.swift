import MartletData
import MartletEngine

/// Reads the fields of a request or of an object in it; a wrong type or range is an answer that names the field.
/// null counts as absent. Everything that is optional in a request is read through it, so there is one rule.
struct FieldReader {
  let object: JSONObject
  /// Where the object stands: `messages[2]`; empty for the request itself.
  let place: String
  /// The request's own field that it is a part of, for errors; nil where they name the field itself.
  private let parameter: String?

  init(_ object: JSONObject) {
    self.object = object
    place = ""
    parameter = nil
  }

  /// - Throws: ``APIError`` where `value`, which stands at `place` in the field `parameter`, is no object.
  init(_ value: JSONValue, place: String, parameter: String) throws {
    guard let object = value.object else {
      throw APIError.invalid("`\(place)` must be an object, not \(value.kind)", parameter: parameter)
    }
    self.init(object, place: place, parameter: parameter)
  }

  private init(_ object: JSONObject, place: String, parameter: String?) {
    self.object = object
    self.place = place
    self.parameter = parameter
  }

  func value(_ name: String) -> JSONValue? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  func has(_ name: String) -> Bool { value(name) != nil }

  /// The field's name with its place, for messages.
  func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

  /// An answer that says of a field what is wrong with it.
  func refuse(_ name: String, _ problem: String) -> APIError {
    .invalid("`\(path(name))` \(problem)", parameter: parameter ?? name)
  }

  private func wrong(_ name: String, _ wanted: String, _ value: JSONValue) -> APIError {
    refuse(name, "must be \(wanted), not \(value.kind)")
  }

  func string(_ name: String) throws -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else { throw wrong(name, "a string", value) }
    return string
  }

  func bool(_ name: String) throws -> Bool? {
    guard let value = value(name) else { return nil }
    guard let bool = value.bool else { throw wrong(name, "a boolean", value) }
    return bool
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = value(name) else { return nil }
    guard value.number != nil else { throw wrong(name, "a whole number", value) }
    guard let integer = value.integer else {
      throw refuse(name, "is \(value.text.prefix(40)) and must be a whole number of at most 64 bits")
    }
    guard range.contains(integer) else {
      let wanted =
        range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw refuse(name, "is \(integer) and must be \(wanted)")
    }
    return integer
  }

  func number(_ name: String, in range: ClosedRange<Double>) throws -> Float? {
    guard let value = value(name) else { return nil }
    guard let number = value.number else { throw wrong(name, "a number", value) }
    guard range.contains(number) else {
      throw refuse(name, "is \(number) and must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return Float(number)
  }

  func object(_ name: String) throws -> FieldReader? {
    guard let value = value(name) else { return nil }
    guard let object = value.object else { throw wrong(name, "an object", value) }
    return FieldReader(object, place: path(name), parameter: parameter)
  }

  func array(_ name: String) throws -> [JSONValue]? {
    guard let value = value(name) else { return nil }
    guard let array = value.array else { throw wrong(name, "an array", value) }
    return array
  }

  /// An array of objects.
  func objects(_ name: String) throws -> [FieldReader]? {
    try array(name)?.enumerated().map { index, item in
      try FieldReader(item, place: "\(path(name))[\(index)]", parameter: parameter ?? name)
    }
  }

  /// An array of strings.
  func strings(_ name: String, most: Int) throws -> [String]? {
    guard let array = try array(name) else { return nil }
    let strings = array.compactMap(\.string)
    guard strings.count == array.count, strings.count <= most else {
      throw refuse(name, "must be an array of at most \(most) strings")
    }
    return strings
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, of type: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = try string(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw refuse(name, "is `\(text.prefix(100))` and must be one of \(known)")
    }
    return choice
  }
}
