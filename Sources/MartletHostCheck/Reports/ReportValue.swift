/// A JSON value. It has its own serializer, because loading Foundation's takes longer than the whole check.
public enum ReportValue: Sendable, Equatable {
  /// A string.
  case text(String)
  /// An integer.
  case number(Int)
  /// A boolean.
  case flag(Bool)
  /// An array of values.
  case list([ReportValue])
  /// An object. Keys without a value are omitted; the others are written in order.
  case object([String: ReportValue?])

  static func texts(_ list: [String]) -> ReportValue { .list(list.map { .text($0) }) }

  /// The JSON text on one line.
  public var json: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to out: inout String) {
    switch self {
    case .text(let text): Self.write(text, to: &out)
    case .number(let number): out += String(number)
    case .flag(let flag): out += flag ? "true" : "false"
    case .list(let values):
      out += "["
      for (index, value) in values.enumerated() {
        if index > 0 { out += "," }
        value.write(to: &out)
      }
      out += "]"
    case .object(let fields):
      out += "{"
      var isFirst = true
      for key in fields.keys.sorted() {
        guard case .some(.some(let value)) = fields[key] else { continue }
        if !isFirst { out += "," }
        isFirst = false
        Self.write(key, to: &out)
        out += ":"
        value.write(to: &out)
      }
      out += "}"
    }
  }

  /// With RFC 8259's escapes.
  private static func write(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
