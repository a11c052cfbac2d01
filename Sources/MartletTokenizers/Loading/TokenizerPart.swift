import MartletData

/// One part of a tokenizer.json (a normalizer, a decoder ...): its settings, read once each by name and type.
struct TokenizerPart {
  let file: String
  /// What the part is called in errors: `pre-tokenizer Split`.
  let name: String
  private let kind: String
  let type: String
  private let members: [(name: [UInt8], value: OrderedJSON)]

  /// - Parameter kind: what the part is for: `normalizer`, `pre-tokenizer` ...
  init(_ value: OrderedJSON, kind: String, file: String) throws {
    (self.file, self.kind) = (file, kind)
    guard case .object(let members) = value, let type = value["type"]?.text else {
      throw FileError(file: file, "it has a \(kind) without a type; fetch it again")
    }
    self.members = members
    self.type = type
    name = "\(kind) \(type)"
  }

  func fail(_ problem: String) -> FileError { FileError(file: file, "its \(name) \(problem)") }

  /// What a part is refused with that Martlet does not do.
  var unknown: FileError { fail("is not supported; give another tokenizer with --tokenizer") }

  /// Refuses settings other than `names`.
  func allow(_ names: String...) throws {
    for member in members {
      let name = String(decoding: member.name, as: UTF8.self)
      if name != "type", !names.contains(name), !member.value.isNull {
        throw fail("has a setting \(name) that Martlet does not support; give another tokenizer with --tokenizer")
      }
    }
  }

  /// A setting; nil where it is absent or null.
  subscript(_ name: String) -> OrderedJSON? {
    let value = members.first { $0.name.elementsEqual(name.utf8) }?.value
    return value?.isNull == true ? nil : value
  }

  func bool(_ name: String, default absent: Bool? = nil) throws -> Bool {
    guard let value = self[name] else {
      guard let absent else { throw fail("lacks \(name); fetch it again") }
      return absent
    }
    guard let bool = value.bool else { throw fail("has a \(name) that is neither true nor false") }
    return bool
  }

  func text(_ name: String) throws -> String {
    guard let text = self[name]?.text else { throw fail("lacks the text \(name); fetch it again") }
    return text
  }

  func scalars(_ name: String) throws -> [Unicode.Scalar] { Array(try text(name).unicodeScalars) }

  func scalar(_ name: String) throws -> Unicode.Scalar {
    let scalars = try scalars(name)
    guard scalars.count == 1 else { throw fail("has a \(name) that is not one character") }
    return scalars[0]
  }

  func count(_ name: String) throws -> Int {
    guard let value = self[name]?.integer, (0...1_000_000).contains(value) else {
      throw fail("has a \(name) that is not a number from 0 to 1,000,000")
    }
    return value
  }

  /// The parts of a Sequence, which is the one setting that it has.
  /// - Parameter depth: of this part in others.
  func sequence(_ name: String, depth: Int) throws -> [TokenizerPart] {
    try allow(name)
    guard depth < 16 else { throw fail("is nested more than 16 deep") }
    guard let values = self[name]?.array else { throw fail("lacks the list \(name); fetch it again") }
    return try values.map { try TokenizerPart($0, kind: kind, file: file) }
  }

  /// `{"String": ...}` or `{"Regex": ...}`.
  func pattern() throws -> SplitPattern {
    guard case .object(let members)? = self["pattern"], members.count == 1 else {
      throw fail("has a pattern that is neither String nor Regex")
    }
    if let text = self["pattern"]?["String"]?.text { return .literal(Array(text.unicodeScalars)) }
    guard let expression = self["pattern"]?["Regex"]?.text else {
      throw fail("has a pattern that is neither String nor Regex")
    }
    do { return try SplitPattern(expression: expression) } catch let error as RegularExpressionError {
      throw fail("has the regular expression \(expression), which Martlet cannot match: \(error.problem)")
    }
  }

  func behavior(default absent: SplitBehavior? = nil) throws -> SplitBehavior {
    if self["behavior"] == nil, let absent { return absent }
    let text = try text("behavior")
    guard let behavior = SplitBehavior(rawValue: text) else { throw fail("has an unknown behavior \(text)") }
    return behavior
  }
}
