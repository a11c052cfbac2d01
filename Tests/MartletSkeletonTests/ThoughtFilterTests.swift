import Testing

@testable import MartletSkeleton

struct ThoughtFilterTests {
  /// Cut into pieces of every length.
  @Test(arguments: [
    ("plain text < 3 and <b>bold</b>", "plain text < 3 and <b>bold</b>"),
    ("<think>\na\n</think>\n\nSaid.", " Said."), ("  <think>a</think>Said.", " Said."),
    ("<thinking>a < b</thinking> Said.", " Said."), ("Said <think>a</think>more.", "Said more."),
    ("<think>a</think><think>b</think> Said.", " Said."), ("<think>never ends", ""), ("<think></think>", ""),
    ("Said. <thin", "Said. <thin"), ("Said. </thinks>", "Said. </thinks>"),
  ]) func thoughtsGo(text: String, said: String) {
    for length in 1...text.count {
      var filter = ThoughtFilter()
      var result = "", rest = text[...]
      while !rest.isEmpty {
        result += filter.push(String(rest.prefix(length)))
        rest = rest.dropFirst(length)
      }
      result += filter.finish()
      #expect(result == said, "in pieces of \(length)")
    }
  }

  /// An end without a beginning: all that was not given yet goes.
  @Test func anEndAloneTakesWhatWasHeld() {
    var filter = ThoughtFilter()
    #expect(filter.push("Okay, a plan.\n</think>\n\nSaid.") + filter.finish() == " Said.")
  }
}
