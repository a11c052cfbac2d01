import Testing

@testable import MartletSkeleton

struct EventParserTests {
  private func events(_ text: String, size: Int) -> [String] {
    var parser = EventParser()
    let bytes = Array(text.utf8)
    var events: [EventParser.Event] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      events += parser.push(bytes[start..<min(bytes.count, start + size)])
    }
    return (events + parser.finish()).map { $0.name == "message" ? $0.data : "\($0.name): \($0.data)" }
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func eventsAreRead(size: Int) {
    for end in ["\n", "\r\n", "\r"] {
      func read(_ text: String) -> [String] { events(text.replacing("\n", with: end), size: size) }
      #expect(read("data: a\n\ndata: b\n\n") == ["a", "b"])
      #expect(read("data:a\ndata: b\n\n") == ["a\nb"])
      #expect(read(": ping\n\nid: 1\nretry: 5\ndata: é\n\n: more\n") == ["é"])
      #expect(read("\u{feff}data: a\n\ndata: b") == ["a", "b"])
      #expect(read("event: error\ndata: x\n\ndata: y\n\n") == ["error: x", "y"])
      #expect(read("data\n\ndata: \n\n") == ["", ""])
      #expect(read("{\"a\":1}\n{\"a\":2}\n") == ["{\"a\":1}", "{\"a\":2}"])
      #expect(read("\u{feff}{\n  \"a\":\n  1\n}") == ["{\n  \"a\":\n  1\n}"])
      #expect(read("") == [] && read("\n\n") == [])
    }
  }

  @Test(arguments: [1, 3, 100]) func repeatedBeginningsAreDropped(size: Int) {
    func filtered(_ text: String, _ begun: String) -> String {
      var filter = BeginningFilter(begun)
      let all = Array(text)
      var result = ""
      for start in stride(from: 0, to: all.count, by: size) {
        result += filter.push(String(all[start..<min(all.count, start + size)]))
      }
      return result + filter.finish()
    }
    #expect(filtered("1. Heads", " 1.") == " Heads")
    #expect(filtered("Heads", " 1.") == "Heads" && filtered("", " 1.") == "" && filtered("1", " 1.") == "1")
    let begun = "2. Set goals."
    #expect(filtered("2. Set goals. They help.", begun) == "They help.")
    #expect(filtered("**2. Set Goals:** They help.", begun) == "They help.")
    #expect(filtered("### 2) set goals\nThey help.", begun) == "They help.")
    #expect(filtered("Set goals: they help.", begun) == "they help.")
    #expect(filtered("Set goals help.", begun) == "Set goals help.")
    #expect(filtered("Set goals that help.", begun) == "Set goals that help.")
    #expect(filtered("They help.", begun) == "They help." && filtered("2. Set", begun) == "2. Set")
    #expect(filtered("Setting goals helps.", begun) == "Setting goals helps.")
  }
}
