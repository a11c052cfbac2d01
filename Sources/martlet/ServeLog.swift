import Foundation
import Logging
import MartletData

/// Log lines of a server on standard error: time, level, what happened, and the rest as `key=value` in an order that
/// reads well; or the same as one JSON object a line.
struct ServeLog: LogHandler {
  let isJSON: Bool
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(isJSON: Bool) { self.isJSON = isJSON }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
    let line = line(
      time: Date().ISO8601Format(), level: event.level.rawValue, message: "\(event.message)",
      fields: fields.mapValues { "\($0)" })
    StandardError.write(line + "\n")
  }

  /// Keys in the order in which they are told; others come behind those before ``lastKeys``, by name.
  private static let firstKeys = [
    "address", "model", "method", "path", "status", "ms", "ending", "prompt_tokens", "cached_tokens",
    "completion_tokens", "skeleton", "architecture", "parameters", "edits", "seconds",
  ]
  private static let lastKeys = ["prompt", "answer"]
  /// Keys whose values are numbers in JSON.
  private static let numbers: Set<String> = [
    "status", "ms", "prompt_tokens", "cached_tokens", "completion_tokens", "parameters", "edits", "seconds",
  ]

  /// One line without its end.
  func line(time: String, level: String, message: String, fields: [String: String]) -> String {
    func rank(_ key: String) -> Int {
      if let place = Self.firstKeys.firstIndex(of: key) { return place }
      return Self.firstKeys.count + 1 + (Self.lastKeys.firstIndex(of: key) ?? -1)
    }
    let ordered = fields.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
    guard isJSON else {
      let text = ordered.map { "\($0.key)=\(Self.quoted($0.value))" }
      return ([time, level, message.printable] + text).joined(separator: " ")
    }
    var object = JSONObject()
    object.append("time", .string(time))
    object.append("level", .string(level))
    object.append("message", .string(message))
    for (key, value) in ordered where object[key] == nil {
      let number =
        Self.numbers.contains(key) ? Int(value).map(JSONValue.integer) ?? Double(value).map(JSONValue.number) : nil
      object.append(key, number ?? .string(value))
    }
    return Self.withoutControls(JSONValue.object(object).text)
  }

  /// A value that has a space, a quote or nothing in it stands in quotes, so that it is seen where it ends.
  private static func quoted(_ value: String) -> String {
    let value = value.printable
    guard value.isEmpty || value.contains(where: { $0 == " " || $0 == "\"" }) else { return value }
    return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// JSON escapes the control characters of ASCII but the last; others steer terminals too.
  private static func withoutControls(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: steers) else { return json }
    return json.unicodeScalars.map { scalar in
      guard steers(scalar) else { return String(scalar) }
      return String(scalar).utf16.map { String(format: "\\u%04x", $0) }.joined()
    }.joined()
  }

  private static func steers(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
