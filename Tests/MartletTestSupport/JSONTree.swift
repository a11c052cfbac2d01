import Foundation

/// JSON that a test can damage by its meaning: keys that come twice, values of another kind, numbers at the edges, deep
/// nesting.
public indirect enum JSONTree: Sendable {
  case object([(key: String, value: JSONTree)])
  case array([JSONTree])
  /// A number, text, true, false or null as it is written.
  case scalar(String)

  public init(parsing text: String) throws {
    self.init(try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
  }

  private init(_ value: Any) {
    switch value {
    case let value as [String: Any]:
      self = .object(value.sorted { $0.key < $1.key }.map { ($0.key, JSONTree($0.value)) })
    case let value as [Any]: self = .array(value.map(JSONTree.init))
    default:
      let data = try? JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
      self = .scalar(data.map { String(decoding: $0, as: UTF8.self) } ?? "null")
    }
  }

  public var text: String {
    switch self {
    case .scalar(let text): text
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..<" ": result += String(format: "\\u%04x", scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static let odd = [
    "null", "true", "0", "1", "-1", "2", "1.5", "1e3", "1e308", "-0", "4294967296", "1099511627776",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1e-400", "\"\"",
    "\"x\"", "\"\\u001b[2J\"", "\"\\ud800\"", "[]", "{}", "[[]]", "NaN",
  ]

  /// One to three kinds of damage.
  public func mutated(using random: inout some RandomNumberGenerator) -> JSONTree {
    var tree = self
    for _ in 0..<Int.random(in: 1...3, using: &random) { tree = tree.damaged(&random) }
    return tree
  }

  /// Walks down to some node and damages it.
  private func damaged(_ random: inout some RandomNumberGenerator) -> JSONTree {
    switch self {
    case .array(var values) where !values.isEmpty && Int.random(in: 0..<5, using: &random) > 0:
      let index = Int.random(in: 0..<values.count, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: values.remove(at: index)
      case 1: values.insert(values[index], at: index)
      case 2: values.swapAt(index, Int.random(in: 0..<values.count, using: &random))
      default: values[index] = values[index].damaged(&random)
      }
      return .array(values)
    case .object(var members) where !members.isEmpty && Int.random(in: 0..<6, using: &random) > 0:
      let index = Int.random(in: 0..<members.count, using: &random)
      let other = Int.random(in: 0..<members.count, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0: members.remove(at: index)
      case 1: members.insert(members[index], at: other)
      case 2: (members[index].value, members[other].value) = (members[other].value, members[index].value)
      case 3: members[index].key = ["", "\u{1b}]0;x", "a/b", members[other].key].randomElement(using: &random) ?? ""
      default: members[index].value = members[index].value.damaged(&random)
      }
      return .object(members)
    default:
      if Int.random(in: 0..<12, using: &random) == 0 {
        let depth = [10, 63, 64, 5000].randomElement(using: &random) ?? 10
        return .scalar(String(repeating: "[", count: depth) + text + String(repeating: "]", count: depth))
      }
      return .scalar(Self.odd.randomElement(using: &random) ?? "null")
    }
  }
}
