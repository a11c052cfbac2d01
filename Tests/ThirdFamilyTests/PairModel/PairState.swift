import MartletModels
import Synchronization

/// What a sequence carries through a ``PairModel``: its last token.
final class PairState: SequenceState {
  private let seen: Mutex<(last: Int, count: Int)>

  init(last: Int = 0, count: Int = 0) { seen = Mutex((last, count)) }

  convenience init(restoring bytes: ArraySlice<UInt8>) throws {
    let text = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
    guard text.count == 2 else { throw ModelError("the state is damaged") }
    self.init(last: text[0], count: text[1])
  }

  var last: Int { seen.withLock { $0.last } }
  var position: Int { seen.withLock { $0.count } }
  var byteCount: Int { 16 }
  var canBeCut: Bool { false }

  func read(_ tokens: [Int]) { seen.withLock { $0 = (tokens.last ?? $0.last, $0.count + tokens.count) } }
  func copy() -> any SequenceState { PairState(last: last, count: position) }
  func prefix(_ count: Int) -> (any SequenceState)? { count == position ? copy() : nil }
  func serialized() -> [UInt8] { Array("\(last) \(position)".utf8) }
}
