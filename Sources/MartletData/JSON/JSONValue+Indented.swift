extension JSONValue {
  /// The JSON text on several lines, for files that people read and change: two spaces a level, members in their order, and short
  /// values on one line.
  /// - Returns: text that ends with a line break.
  package var indentedText: String {
    var text = ""
    write(to: &text, indent: "")
    return text + "\n"
  }

  private func write(to text: inout String, indent: String) {
    let line = self.text
    let parts: [(key: String, value: JSONValue)]
    switch self {
    case .array(let values) where indent.utf8.count + line.utf8.count > 100 || values.contains { $0.object != nil }:
      parts = values.map { ("", $0) }
    case .object(let object) where !object.members.isEmpty:
      parts = object.members.map { (JSONValue.string($0.key).text + ": ", $0.value) }
    default:
      text += line
      return
    }
    let isList = array != nil, inner = indent + "  "
    text += isList ? "[\n" : "{\n"
    for (place, part) in parts.enumerated() {
      text += inner + part.key
      part.value.write(to: &text, indent: inner)
      text += place + 1 < parts.count ? ",\n" : "\n"
    }
    text += indent + (isList ? "]" : "}")
  }
}
