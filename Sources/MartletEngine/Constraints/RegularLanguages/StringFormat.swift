import Synchronization

/// The string formats of JSON Schema, each as its standard has it or narrower: whatever a format's language holds is
/// valid, but rare forms (quoted local parts of addresses, leap seconds, years of five digits) are left out.
enum StringFormat {
  /// The language of a format, made when it is first asked for; nil for a name that is not known.
  static func language(_ name: String) throws -> RegularLanguage? {
    guard let pattern = patterns[name] else { return nil }
    if let known = known.withLock({ $0[name] }) { return known }
    // Made once for all grammars, so it is on no one's account.
    let language = try GrammarWork.$current.withValue(nil) { try RegularLanguage(pattern: "^(?:\(pattern))$") }
    known.withLock { $0[name] = language }
    return language
  }

  static var names: [String] { patterns.keys.sorted() }

  private static let known = Mutex<[String: RegularLanguage]>([:])

  private static let patterns: [String: String] = [
    "date": date, "time": time, "date-time": "\(date)T\(time)", "duration": duration,
    "uuid": "\(hexadecimal){8}-(?:\(hexadecimal){4}-){3}\(hexadecimal){12}",
    "email": "\(localPart("A-Za-z0-9"))@\(hostname)",
    "idn-email": "\(localPart("A-Za-z0-9\\u00a1-\\u02af\\u0370-\\u058f\\u3041-\\u3096\\u4e00-\\u9fff"))@\(hostname)",
    "hostname": hostname, "host-name": hostname, "idn-hostname": hostname.replacing("A-Z", with: ""),
    "ipv4": ipv4, "ip-address": ipv4, "ipv6": ipv6,
    "uri": uri(""), "uri-reference": uriReference(""), "iri": uri(beyondASCII),
    "iri-reference": uriReference(beyondASCII),
    "uri-template": uriTemplate,
    "json-pointer": jsonPointer, "relative-json-pointer": "(?:0|[1-9]{1,3})(?:#|\(jsonPointer))",
    "regex": regularExpression,
    "color": "#[0-9A-Fa-f]{6}",
  ]

  private static let hexadecimal = "[0-9A-Fa-f]"

  // MARK: RFC 3339

  /// A day that exists; the year 0000 is none everywhere.
  private static let date: String = {
    let months31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    let months30 = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    let february = "02-(?:0[1-9]|1[0-9]|2[0-8])"
    let leapYear = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
    return "(?!0000)(?:[0-9]{4}-(?:\(months31)|\(months30)|\(february))|\(leapYear)-02-29)"
  }()

  private static let time =
    "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

  private static let duration: String = {
    let number = "(?:0|[1-9][0-9]{0,8})"
    let minutes = "\(number)M(?:\(number)S)?"
    let time = "T(?:\(number)H(?:\(minutes))?|\(minutes)|\(number)S)"
    let months = "\(number)M(?:\(number)D)?"
    let date = "(?:\(number)Y(?:\(months))?|\(months)|\(number)D)"
    return "P(?:\(number)W|\(date)(?:\(time))?|\(time))"
  }()

  // MARK: RFC 1123, RFC 5321

  /// Up to six labels of up to 40 characters, 253 at most; the last begins with a letter, so that it is no number.
  private static let hostname: String = {
    let rest = "(?:[A-Za-z0-9-]{0,38}[A-Za-z0-9])?"
    return "(?:(?!..--)[A-Za-z0-9]\(rest)\\.){0,5}(?!..--)[A-Za-z]\(rest)"
  }()

  /// Words with single dots between them, 64 characters at most.
  private static func localPart(_ letters: String) -> String {
    let word = "[\(letters)!#$%&'*+/=?^_`{|}~-]+"
    return "(?=[^@]{1,64}@)\(word)(?:\\.\(word))*"
  }

  // MARK: RFC 791, RFC 4291

  private static let ipv4: String = {
    let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    return "(?:\(octet)\\.){3}\(octet)"
  }()

  private static let ipv6: String = {
    let group = "\(hexadecimal){1,4}"
    var forms = [
      "(?:\(group):){7}\(group)", "(?:\(group):){6}\(ipv4)", "::(?:\(group):){0,5}\(ipv4)",
      "::(?:\(group)(?::\(group)){0,6})?",
    ]
    // :: stands for one group at least.
    for before in 1...7 {
      let behind = before < 7 ? "(?:\(group)(?::\(group)){0,\(6 - before)})?" : ""
      forms.append("\(group)(?::\(group)){\(before - 1)}::\(behind)")
    }
    return "(?:\(forms.joined(separator: "|")))"
  }()

  // MARK: RFC 3986, RFC 3987, RFC 6570

  private static let beyondASCII = "\\u00a0-\\u1fff\\u2070-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\uffef\\u{10000}-\\u{1fffd}"

  /// A character of a path's segment, without and with the colon; `more` are further members of the class.
  private static func segment(_ more: String) -> (plain: String, withColon: String) {
    func character(_ colon: String) -> String { "(?:[A-Za-z0-9._~!$&'()*+,;=@\(colon)\(more)-]|%\(hexadecimal){2})" }
    return (character(""), character(":"))
  }

  private static func authority(_ more: String) -> String {
    let name = "(?:[A-Za-z0-9._~!$&'()*+,;=\(more)-]|%\(hexadecimal){2})*"
    let user = "(?:[A-Za-z0-9._~!$&'()*+,;=:\(more)-]|%\(hexadecimal){2})*"
    return "(?:\(user)@)?(?:\(name)|\\[\(ipv6)\\])(?::[0-9]{0,5})?"
  }

  private static func tail(_ more: String) -> String {
    let sign = "(?:\(segment(more).withColon)|[/?])*"
    return "(?:\\?\(sign))?(?:#\(sign))?"
  }

  private static func uri(_ more: String) -> String {
    let sign = segment(more).withColon
    let path = "//\(authority(more))(?:/\(sign)*)*|/(?:\(sign)+(?:/\(sign)*)*)?|(?:\(sign)+(?:/\(sign)*)*)?"
    return "[A-Za-z][A-Za-z0-9+.-]*:(?:\(path))\(tail(more))"
  }

  private static func uriReference(_ more: String) -> String {
    let (plain, sign) = segment(more)
    let path = "//\(authority(more))(?:/\(sign)*)*|/(?:\(sign)+(?:/\(sign)*)*)?|(?:\(plain)+(?:/\(sign)*)*)?"
    return "(?:\(uri(more))|(?:\(path))\(tail(more)))"
  }

  private static let uriTemplate: String = {
    let variable = "[A-Za-z0-9_]+(?:\\.[A-Za-z0-9_]+)*(?::[1-9][0-9]{0,2}|\\*)?"
    let expression = "\\{[+#./;?&]?\(variable)(?:,\(variable))*\\}"
    return "(?:[A-Za-z0-9._~:/?#@!$&()*+,;=-]|%\(hexadecimal){2}|\(expression))*"
  }()

  // MARK: RFC 6901 and others

  private static let jsonPointer = "(?:/(?:[^~/]|~[01])*)*"

  /// Literals, classes and groups that every dialect reads alike.
  private static let regularExpression: String = {
    let members = "(?:[A-Za-z0-9_.]|a-z|A-Z|0-9)+"
    let atom = "(?:[A-Za-z0-9 _@%,:;-]|\\.|\\\\[dws.\\\\/+*?()$^-]|\\[\\^?\(members)\\])"
    let term = "\(atom)(?:[*+?]|\\{[1-9][0-9]?\\})?"
    return "\\^?(?:\(term)|\\((?:\(term))+(?:\\|(?:\(term))+)*\\)[*+?]?)*\\$?"
  }()
}
