/// Passes text through until a stop string occurs, and never a part of one.
public struct StopFilter: Sendable {
  private let stops: [[UInt8]]
  private var held: [UInt8] = []
  /// How much of `held` came where no stop string may end.
  private var exempt = 0
  /// Whether a stop string has occurred; no text passes after it.
  public private(set) var isStopped = false

  /// - Parameter stops: the stop strings; empty ones are ignored.
  public init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty } }

  /// Adds text and returns the part that is certain not to belong to a stop string.
  ///
  /// - Parameters:
  ///   - text: the next piece of text.
  ///   - mayStop: whether a stop string may end in `text`. A stop string that begins in it may still end in a later
  ///     piece.
  public mutating func push(_ text: String, mayStop: Bool = true) -> String {
    if isStopped { return "" }
    held.append(contentsOf: text.utf8)
    if !mayStop { exempt = held.count }
    var first: Int?
    for stop in stops {
      if let at = find(stop), at < first ?? .max { first = at }
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
    exempt = max(0, exempt - (held.count - keep))
    held.removeFirst(held.count - keep)
    return clear
  }

  /// The text that was held back, at the end of the input.
  public mutating func finish() -> String {
    defer { held = [] }
    return isStopped ? "" : String(decoding: held, as: UTF8.self)
  }

  /// Where a stop string first stands that ends behind what is exempt.
  private func find(_ stop: [UInt8]) -> Int? {
    guard held.count >= stop.count else { return nil }
    return (max(0, exempt - stop.count + 1)..<held.count - stop.count + 1).first { held[$0...].starts(with: stop) }
  }
}
