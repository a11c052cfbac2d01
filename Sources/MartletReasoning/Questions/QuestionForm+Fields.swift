import MartletData

extension QuestionForm {
  /// The members of a row, each of which is read or named in an error.
  struct Fields {
    let object: JSONObject
    let line: JSONLines.Line

    init(_ object: JSONObject, of line: JSONLines.Line) { (self.object, self.line) = (object, line) }

    func optionalText(_ key: String) throws -> String? {
      guard let value = object.present(key) else { return nil }
      guard let text = value.string else { throw line.failure("\"\(key)\" is \(value.kind), but must be a text") }
      return text
    }

    func text(_ key: String) throws -> String {
      guard let text = try optionalText(key) else { throw line.failure("it has no \"\(key)\"; add one") }
      return text
    }

    func texts(_ key: String) throws -> [String] {
      guard let value = object.present(key) else { throw line.failure("it has no \"\(key)\"; add one") }
      guard let list = value.array, case let texts = list.compactMap(\.string), texts.count == list.count else {
        throw line.failure("\"\(key)\" is \(value.kind), but must be a list of texts")
      }
      return texts
    }

    /// An answer as a text: whole numbers without a fraction, truth values as yes and no.
    func answer(_ key: String) throws -> String? {
      guard let value = object.present(key) else { return nil }
      if let number = value.integer { return "\(number)" }
      if let flag = value.bool { return flag ? "yes" : "no" }
      if value.number != nil { return value.text }
      return try text(key)
    }

    /// Choices as a list of texts, or as lists of labels and texts.
    func choices(_ key: String) throws -> [String] {
      guard let both = object[key]?.object else { return try texts(key) }
      guard let list = both["text"]?.array, case let texts = list.compactMap(\.string), texts.count == list.count else {
        throw line.failure("\"\(key)\" is an object without a list of texts as \"text\"; add it")
      }
      return texts
    }

    /// The place of a choice; nil where there is none.
    func choice(_ key: String, of choices: [String]) throws -> Int? {
      guard let value = object.present(key) else { return nil }
      guard let index = value.integer else {
        throw line.failure("\"\(key)\" is \(value.kind), but must be the place of a choice, counted from 0")
      }
      guard choices.indices.contains(index) else {
        if index == -1 { return nil }
        throw line.failure("\"\(key)\" is \(index), but there are \(choices.count) choices, counted from 0")
      }
      return index
    }
  }
}
