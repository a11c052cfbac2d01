/// Data lines of a stream of server-sent events.
struct EventParser {
  private var line: [UInt8] = []
  private var data: [String] = []

  mutating func push(_ bytes: [UInt8]) -> [String] {
    var events: [String] = []
    for byte in bytes {
      if byte != 0x0a {
        line.append(byte)
        continue
      }
      if line.last == 0x0d { line.removeLast() }
      let text = String(decoding: line, as: UTF8.self)
      line.removeAll(keepingCapacity: true)
      if text.isEmpty {
        if !data.isEmpty { events.append(data.joined(separator: "\n")) }
        data = []
      } else if text.hasPrefix("data:") {
        let value = text.dropFirst(5)
        data.append(String(value.first == " " ? value.dropFirst() : value))
      }
    }
    return events
  }
}
