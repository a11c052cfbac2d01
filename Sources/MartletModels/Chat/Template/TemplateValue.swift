/// What an expression of a template can give.
enum TemplateValue {
  /// A name or member that is not there; reading a member of it or adding to it fails, printing it gives nothing.
  case undefined(String)
  case null
  case boolean(Bool)
  case integer(Int)
  case real(Double)
  case text(MarkedText)
  case list([TemplateValue])
  /// In the order of insertion.
  case dictionary([(key: MarkedText, value: TemplateValue)])
  case namespace(TemplateNamespace)
  case macro(TemplateStatement.Macro)
  case function(String)
  indirect case method(of: TemplateValue, String)
  case loop(TemplateLoop)

  init(_ text: String) { self = .text(MarkedText(text)) }

  var isUndefined: Bool {
    if case .undefined = self { true } else { false }
  }

  /// Whether Python takes it for true.
  var isTrue: Bool {
    switch self {
    case .undefined, .null: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .real(let value): value != 0
    case .text(let text): !text.units.isEmpty
    case .list(let items): !items.isEmpty
    case .dictionary(let items): !items.isEmpty
    case .namespace, .macro, .function, .method, .loop: true
    }
  }

  /// Numbers and booleans, which are numbers in Python.
  var number: (integer: Int?, real: Double)? {
    switch self {
    case .boolean(let value): (value ? 1 : 0, value ? 1 : 0)
    case .integer(let value): (value, Double(value))
    case .real(let value): (nil, value)
    default: nil
    }
  }

  /// A text in small letters; any other value as it is.
  var withoutCase: TemplateValue {
    if case .text(let text) = self { .text(text.lowercased) } else { self }
  }

  /// Its type in words, for errors.
  var kind: String {
    switch self {
    case .undefined(let name): "\(name), which is undefined,"
    case .null: "none"
    case .boolean: "a boolean"
    case .integer, .real: "a number"
    case .text: "a text"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .namespace: "a namespace"
    case .macro, .function, .method: "a function"
    case .loop: "the loop"
    }
  }

  static func == (left: TemplateValue, right: TemplateValue) -> Bool {
    switch (left, right) {
    case (.undefined, .undefined), (.null, .null): true
    case (.text(let left), .text(let right)): left == right
    case (.list(let left), .list(let right)): left.elementsEqual(right) { $0 == $1 }
    case (.dictionary(let left), .dictionary(let right)):
      left.count == right.count
        && left.allSatisfy { entry in right.contains { $0.key == entry.key && $0.value == entry.value } }
    case (.namespace(let left), .namespace(let right)): left === right
    default:
      if let left = left.number, let right = right.number {
        if let left = left.integer, let right = right.integer { left == right } else { left.real == right.real }
      } else {
        false
      }
    }
  }
}

/// `namespace(...)`: the one kind of value that a template can change.
final class TemplateNamespace {
  var values: [String: TemplateValue] = [:]
}

/// The variable `loop` inside a loop.
struct TemplateLoop {
  let items: [TemplateValue]
  let index: Int

  func member(_ name: String) -> TemplateValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(items.count - index)
    case "revindex0": .integer(items.count - index - 1)
    case "first": .boolean(index == 0)
    case "last": .boolean(index == items.count - 1)
    case "length": .integer(items.count)
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? items[index - 1] : .undefined("loop.previtem")
    case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("loop.nextitem")
    default: nil
    }
  }
}
