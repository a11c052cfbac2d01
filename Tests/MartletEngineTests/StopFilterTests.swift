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

  @Test func theEarliestStopWins() {
    var filter = StopFilter(["cd", "b"])
    #expect(filter.push("abcd") == "a")
  }
}
