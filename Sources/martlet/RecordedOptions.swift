import ArgumentParser
/// The options of a command as a table of names and values, read from its properties, so that none can be forgotten.
enum RecordedOptions {
  /// Every argument, option and flag that has a value, by its property's name as options are written
  /// (`learning-rate`).
  static func of(_ command: some ParsableArguments) -> [String: String] {
    var table: [String: String] = [:]
    for child in Mirror(reflecting: command).children {
      guard let label = child.label else { continue }
      if let group = child.value as? any RecordedGroup {
        table.merge(of(group.arguments)) { first, _ in first }
      } else if let option = child.value as? any RecordedOption, let value = text(option.value) {
        table[name(label)] = value
      }
    }
    return table
  }

  /// `_learningRate` as `learning-rate`.
  private static func name(_ label: String) -> String {
    label.drop { $0 == "_" }.reduce(into: "") { name, character in
      name += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
  }

  /// nil for an option that was not given and has no default.
  private static func text(_ value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.first.flatMap { text($0.value) } }
    if let raw = value as? any RawRepresentable { return "\(raw.rawValue)" }
    return "\(value)"
  }

  /// How an option with a value is written, beside the value that it had or has elsewhere; nil for none.
  static func written(_ name: String, _ value: String?, beside other: String?) -> String {
    switch value {
    // A flag that can be given both ways, and was not given at all elsewhere.
    case "false" where other == nil: "with --no-\(name)"
    case nil, "false": "without --\(name)"
    case "true": "with --\(name)"
    case let value?: "with --\(name) \(value)"
    }
  }
}

private protocol RecordedOption { var value: Any { get } }
private protocol RecordedGroup { var arguments: any ParsableArguments { get } }

extension Option: RecordedOption { fileprivate var value: Any { wrappedValue } }
extension Flag: RecordedOption { fileprivate var value: Any { wrappedValue } }
extension Argument: RecordedOption { fileprivate var value: Any { wrappedValue } }
extension OptionGroup: RecordedGroup { fileprivate var arguments: any ParsableArguments { wrappedValue } }
