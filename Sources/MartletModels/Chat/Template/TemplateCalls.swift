import MartletData

// Functions, methods of texts and dictionaries, and macros.
extension TemplateRun {
  static let functions: Set<String> = [
    "raise_exception", "strftime_now", "namespace", "range", "dict", "cycler", "joiner", "lipsum",
  ]

  mutating func call(
    _ function: TemplateValue, _ arguments: [TemplateValue], _ named: NamedValues, line: Int
  ) throws -> TemplateValue {
    switch function {
    case .macro(let macro): return try call(macro, arguments, named, line: line)
    case .function(let name): return try call(function: name, arguments, named, line: line)
    case .method(.text(let text), let name):
      var arguments = arguments
      for (place, parameter) in ["sep", "maxsplit"].enumerated() where name == "split" || name == "rsplit" {
        guard place >= arguments.count, let value = named.first(where: { $0.name == parameter })?.value else {
          continue
        }
        while arguments.count < place { arguments.append(.null) }
        arguments.append(value)
      }
      guard named.isEmpty || name == "split" || name == "rsplit" else { throw notDone(name, line) }
      return try call(method: name, of: text, arguments, line: line)
    case .method(.dictionary(let entries), let name):
      guard named.isEmpty else { throw notDone(name, line) }
      if name != "get" { try charge(64 * entries.count, line: line) }
      switch (name, arguments.count) {
      case ("items", 0): return .list(entries.map { .list([.text($0.key), $0.value]) })
      case ("keys", 0): return .list(entries.map { .text($0.key) })
      case ("values", 0): return .list(entries.map(\.value))
      case ("get", 1...2):
        let otherwise = arguments.count == 2 ? arguments[1] : .null
        guard case .text(let key) = arguments[0] else { return otherwise }
        return try place(of: key, in: entries, line: line).map { entries[$0].value } ?? otherwise
      default: throw notDone(name, line)
      }
    case .method(.list(let items), "index"):
      guard arguments.count == 1, named.isEmpty else { throw notDone("index", line) }
      try charge(8 * items.count, line: line)
      guard let place = try items.firstIndex(where: { try areEqual($0, arguments[0], line: line) }) else {
        throw failure(line, "what index looks for is not in the list")
      }
      return .integer(place)
    case .undefined(let name): throw failure(line, "\(name) is undefined")
    case .method(_, let name): throw notDone(name, line)
    default: throw failure(line, "\(function.kind) cannot be called")
    }
  }

  private func notDone(_ name: String, _ line: Int) -> TemplateError {
    .notUnderstood(line: line, "the call of \(name) with these arguments is not supported")
  }

  private mutating func call(
    function name: String, _ arguments: [TemplateValue], _ named: NamedValues, line: Int
  ) throws -> TemplateValue {
    switch name {
    case "raise_exception":
      guard arguments.count == 1, named.isEmpty else { throw notDone(name, line) }
      throw TemplateError.refused(try text(of: arguments[0], line: line).string)
    case "strftime_now":
      guard arguments.count == 1, case .text(let format) = arguments[0], format.units.count <= 200 else {
        throw notDone(name, line)
      }
      return TemplateValue(formatted(format.string))
    case "namespace":
      let namespace = TemplateNamespace()
      for argument in arguments {
        guard case .dictionary(let entries) = argument else { throw notDone(name, line) }
        try charge(Self.sum(entries.map { 64 + $0.key.units.count }), line: line)
        for entry in entries { namespace.values[entry.key.string] = entry.value }
      }
      for (name, value) in named { namespace.values[name] = try stored(value, line: line) }
      return .namespace(namespace)
    case "dict":
      guard arguments.isEmpty else { throw notDone(name, line) }
      return try nested(.dictionary(named.map { (MarkedText($0.name), $0.value) }), line: line)
    case "range":
      let numbers = arguments.compactMap { $0.number?.integer }
      guard numbers.count == arguments.count, (1...3).contains(numbers.count), named.isEmpty,
        numbers.allSatisfy({ $0.magnitude < 1 << 40 })
      else { throw notDone(name, line) }
      let step = numbers.count == 3 ? numbers[2] : 1
      guard step != 0 else { throw failure(line, "a range's step is 0") }
      let places = stride(from: numbers.count == 1 ? 0 : numbers[0], to: numbers[numbers.count == 1 ? 0 : 1], by: step)
      var items: [TemplateValue] = []
      for place in places {
        // Jinja's own bound.
        guard items.count < 100_000 else { throw failure(line, "a range has more than 100000 numbers") }
        items.append(.integer(place))
      }
      try charge(64 * items.count, line: line)
      return .list(items)
    default: throw notDone(name, line)
    }
  }

  private mutating func call(
    method name: String, of text: MarkedText, _ arguments: [TemplateValue], line: Int
  ) throws -> TemplateValue {
    let texts = arguments.map { argument -> MarkedText? in
      if case .text(let text) = argument { text } else { nil }
    }
    try charge(Self.sum([text.units.count] + texts.map { $0?.units.count ?? 0 }), line: line)
    switch (name, arguments.count) {
    case ("strip", 0...1), ("lstrip", 0...1), ("rstrip", 0...1):
      if let first = arguments.first, texts[0] == nil {
        guard case .null = first else { throw notDone(name, line) }
      }
      return .text(text.stripped(of: texts.first ?? nil, left: name != "rstrip", right: name != "lstrip"))
    case ("upper", 0): return .text(text.uppercased)
    case ("lower", 0): return .text(text.lowercased)
    case ("capitalize", 0): return .text(text.capitalized)
    case ("title", 0): return .text(text.titled)
    case ("startswith", 1), ("endswith", 1):
      var choices: [TemplateValue] = [arguments[0]]
      if case .list(let list) = arguments[0] { choices = list }
      return .boolean(
        try choices.contains { choice in
          guard case .text(let part) = choice else { throw notDone(name, line) }
          try charge(min(part.units.count, text.units.count), line: line)
          return name == "startswith" ? text.hasPrefix(part) : text.hasSuffix(part)
        })
    case ("find", 1):
      guard let part = texts[0] else { throw notDone(name, line) }
      return .integer(text.find(part) ?? -1)
    case ("count", 1):
      guard let part = texts[0], !part.units.isEmpty else { throw notDone(name, line) }
      return .integer(text.places(of: part).count)
    case ("replace", 2...3):
      guard let old = texts[0], !old.units.isEmpty, let new = texts[1] else { throw notDone(name, line) }
      let limit = arguments.count == 3 ? arguments[2].number?.integer : -1
      guard let limit else { throw notDone(name, line) }
      let places = text.places(of: old, limit: limit < 0 ? nil : limit)
      let kept = text.units.count - places.count * old.units.count
      try charge(Self.sum([kept, Self.product(places.count, new.units.count)]), line: line)
      return .text(text.replacing(old.units.count, at: places, with: new))
    case ("split", 0...2), ("rsplit", 0...2):
      let limit = arguments.count == 2 ? arguments[1].number?.integer : -1
      guard let limit else { throw notDone(name, line) }
      guard let first = arguments.first, case .text(let separator) = first else {
        if let first = arguments.first {
          guard case .null = first else { throw notDone(name, line) }
        }
        guard limit < 0 else { throw notDone(name, line) }
        try charge(Self.product(64, text.wordCount), line: line)
        return .list(text.words().map { .text($0) })
      }
      guard !separator.units.isEmpty else { throw failure(line, "a text is split at nothing") }
      let most = limit < 0 ? nil : limit
      // As many cuts from the end as from the start.
      try charge(Self.product(64, text.places(of: separator, limit: most).count + 1), line: line)
      let parts =
        name == "split" ? text.split(at: separator, limit: most) : text.splitFromEnd(at: separator, limit: most)
      return .list(parts.map { .text($0) })
    case ("join", 1):
      let parts = try items(of: arguments[0], line: line).map { part -> [UInt32] in
        guard case .text(let part) = part else { throw failure(line, "\(part.kind) cannot be joined") }
        return part.units
      }
      let separators = Self.product(max(parts.count - 1, 0), text.units.count)
      try charge(Self.sum(parts.map(\.count) + [separators]), line: line)
      return .text(MarkedText(units: Array(parts.joined(separator: text.units))))
    default: throw notDone(name, line)
    }
  }
}
