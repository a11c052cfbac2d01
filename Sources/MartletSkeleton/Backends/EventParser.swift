import MartletData
import MartletEngine

/// Events of a stream of server-sent events (WHATWG HTML, 9.2.6), and of what endpoints send in its place: one whole JSON
/// text, or a JSON text a line.
struct EventParser {
  struct Event: Equatable {
    /// `message`, unless the stream names another.
    var name = "message"
    var data: String
  }

  private var line: [UInt8] = []
  private var data: [String] = []
  private var name = "message"
  private var endedWithReturn = false
  private var isFirstLine = true
  /// Lines of JSON without `data:`.
  private var bare: [String] = []

  mutating func push(_ bytes: some Sequence<UInt8>) -> [Event] {
    var events: [Event] = []
    for byte in bytes {
      // A line ends with LF, CR LF, or CR.
      if byte == 0x0a, endedWithReturn {
        endedWithReturn = false
        continue
      }
      endedWithReturn = byte == 0x0d
      if byte == 0x0a || byte == 0x0d { endLine(&events) } else { line.append(byte) }
    }
    return events
  }

  /// The event that the end of the stream cut its empty line off, and JSON that came without events.
  mutating func finish() -> [Event] {
    var events: [Event] = []
    if !line.isEmpty { endLine(&events) }
    endEvent(&events)
    guard !bare.isEmpty else { return events }
    let whole = bare.joined(separator: "\n")
    if (try? JSONValue(parsing: whole)) != nil {
      events.append(Event(data: whole))
    } else {
      events += bare.map { Event(data: $0) }
    }
    bare = []
    return events
  }

  private mutating func endLine(_ events: inout [Event]) {
    var bytes = line[...]
    if isFirstLine, bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
    isFirstLine = false
    let text = String(decoding: bytes, as: UTF8.self)
    line.removeAll(keepingCapacity: true)
    if text.isEmpty { return endEvent(&events) }
    if text.first == ":" { return }
    let end = text.firstIndex(of: ":") ?? text.endIndex
    var value = text[end...].dropFirst()
    if value.first == " " { value = value.dropFirst() }
    switch text[..<end] {
    case "data": data.append(String(value))
    case "event": name = String(value)
    case "id", "retry": break
    default: bare.append(text)
    }
  }

  private mutating func endEvent(_ events: inout [Event]) {
    if !data.isEmpty { events.append(Event(name: name, data: data.joined(separator: "\n"))) }
    data = []
    name = "message"
  }
}
