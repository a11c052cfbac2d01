/// The string formats of JSON Schema as regular expressions. Each is the standard's or narrower.
enum StringFormat {
  /// The pattern of a format; nil for a name that is not known.
  static func pattern(_ name: String) -> String? { patterns[name] }

  private static let patterns: [String: String] = {
    let date = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    let time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
    return [
      "date": date, "time": time, "date-time": date + "T" + time,
      "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ].mapValues { "^(?:\($0))$" }
  }()
}
