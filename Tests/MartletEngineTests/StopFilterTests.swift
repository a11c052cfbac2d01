import MartletEngine
import Testing

struct StopFilterTests {
  @Test func noPieceOfAStopStringGetsOut() {
    for size in 1...5 {
      var filter = StopFilter(["\n\nUser:", "END"])
      let text = Array("Hello\n\nUs and EN\n\nUser: more")
      var out = ""
      for start in stride(from: 0, to: text.count, by: size) {
        out += filter.push(String(text[start..<min(text.count, start + size)]))
        #expect(!out.hasSuffix("\n\nUse") && !out.hasSuffix("\n"))
      }
      #expect(out == "Hello\n\nUs and EN" && filter.isStopped && filter.finish() == "")
    }
  }

  @Test func whatWasHeldComesAtTheEnd() {
    var filter = StopFilter(["abc"])
    #expect(filter.push("xab") == "x")
    #expect(filter.finish() == "ab")
  }

  /// Against the rule itself: of all stop strings that end behind the exempt texts, the first that begins.
  @Test func noStopStringEndsWhereItMayNot() {
    var random = RandomStream(seed: 5)
    func pick(_ count: ClosedRange<Int>) -> String {
      String((0..<Int.random(in: count, using: &random)).map { _ in "abé".randomElement(using: &random) ?? "a" })
    }
    var stopped = 0, early = 0
    for _ in 0..<5_000 {
      let stops = (0..<Int.random(in: 1...3, using: &random)).map { _ in pick(1...4) }
      let texts = (0..<Int.random(in: 0...8, using: &random)).map { _ in pick(0...3) }
      let exemptTexts = Int.random(in: 0...texts.count, using: &random)
      var filter = StopFilter(stops)
      var out = ""
      for (index, text) in texts.enumerated() { out += filter.push(text, mayStop: index >= exemptTexts) }
      let wasStopped = filter.isStopped
      out += filter.finish()

      let exempt = texts[..<exemptTexts].joined().utf8.count
      var expected: String?
      // A stop string is found as soon as it is there, so that a later one with an earlier start does not count.
      for end in exemptTexts..<max(exemptTexts, texts.count) where expected == nil {
        let whole = Array(texts[...end].joined().utf8)
        let places = stops.flatMap { stop in
          let stop = Array(stop.utf8)
          return (0..<max(0, whole.count - stop.count + 1)).filter {
            $0 + stop.count > exempt && whole[$0...].starts(with: stop)
          }
        }
        expected = places.min().map { String(decoding: whole[..<$0], as: UTF8.self) }
      }
      #expect(out == expected ?? texts.joined(), "\(stops) \(texts) \(exemptTexts)")
      #expect(wasStopped == (expected != nil))
      stopped += wasStopped ? 1 : 0
      if let expected, expected.utf8.count < exempt { early += 1 }
    }
    #expect(stopped > 1_000 && early > 100)
  }

  @Test func theEarliestStopWins() {
    var filter = StopFilter(["cd", "b"])
    #expect(filter.push("abcd") == "a")
  }
}
