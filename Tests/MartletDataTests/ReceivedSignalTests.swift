import Foundation
import Testing

@testable import MartletData

struct ReceivedSignalTests {
  @Test func onlyTheSameKindWithinASecondIsTheSame() {
    let first = ReceivedSignal(SIGTERM, time: 5_000)
    for (number, time, isSame) in [
      (SIGTERM, UInt64(5_000), true), (SIGTERM, 5_249, true), (SIGTERM, 5_250, false), (SIGINT, 5_000, false),
      (SIGTERM, 4_999, true),
    ] {
      #expect(first.isRepeated(by: ReceivedSignal(number, time: time)) == isSame, "\(number) at \(time)")
    }
  }

  @Test func aWordHoldsAll() throws {
    let now = ReceivedSignal(SIGHUP), back = try #require(ReceivedSignal(word: now.word))
    #expect(back.number == SIGHUP && back.time == now.time && now.time > 0)
    #expect(back.isRepeated(by: ReceivedSignal(SIGHUP)))
    #expect(ReceivedSignal(word: 0) == nil)
  }
}
