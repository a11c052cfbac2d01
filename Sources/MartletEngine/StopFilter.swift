/// Lets text through until a stop string appears, never a piece of one.
public struct StopFilter: Sendable {
  private let stops: [[UInt8]]
  private var held: [UInt8] = []
  public private(set) var isStopped = false

  public init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty } }

  /// The part of the text so far that is certain not to belong to a stop string.
  public mutating func push(_ text: String) -> String {
    if isStopped { return "" }
    held.append(contentsOf: text.utf8)
    var first: Int?
    for stop in stops {
      if let at = Self.find(stop, in: held), at < first ?? .max { first = at }
    }
    if let first {
      isStopped = true
      defer { held = [] }
      return String(decoding: held[..<first], as: UTF8.self)
    }
    var keep = 0
    for stop in stops {
      for length in stride(from: min(stop.count - 1, held.count), to: keep, by: -1)
      where held.suffix(length).elementsEqual(stop.prefix(length)) {
        keep = length
        break
      }
    }
    let clear = String(decoding: held.dropLast(keep), as: UTF8.self)
    held.removeFirst(held.count - keep)
    return clear
  }

  /// What was held back, when nothing more comes.
  public mutating func finish() -> String {
    defer { held = [] }
    return isStopped ? "" : String(decoding: held, as: UTF8.self)
  }

  private static func find(_ needle: [UInt8], in text: [UInt8]) -> Int? {
    guard text.count >= needle.count else { return nil }
    return (0...text.count - needle.count).first { text[$0...].starts(with: needle) }
  }
}
