import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletModels

/// Where models lie and what they are called.
struct LibraryTests {
  @Test func theHomeFollowsTheEnvironment() {
    func folder(_ environment: [String: String]) -> String {
      MartletHome.folder(environment: environment, systemHome: "/home/system")
    }
    #expect(folder([:]) == "/home/system/.martlet")
    #expect(folder(["HOME": "/h"]) == "/h/.martlet" && folder(["HOME": "/h/"]) == "/h/.martlet")
    #expect(folder(["HOME": ""]) == "/home/system/.martlet")
    #expect(folder(["HOME": "/h", "MARTLET_HOME": ""]) == "/h/.martlet")
    #expect(folder(["HOME": "/h", "MARTLET_HOME": "/m"]) == "/m" && folder(["MARTLET_HOME": "/m//"]) == "/m")
    #expect(
      folder(["HOME": "/h", "MARTLET_HOME": "~/x"]) == "/h/x" && folder(["HOME": "/h", "MARTLET_HOME": "~"]) == "/h")
    #expect(folder(["MARTLET_HOME": "rel/a"]) == "rel/a" && folder(["HOME": "/"]) == "/.martlet")
    #expect(ModelLibrary(home: "/m").folder == "/m/models")
  }

  @Test func nearNamesAreFound() {
    let names = ["SmolLM2-135M-Instruct.Q4_1", "SmolLM2-360M", "org/qwen3-0.6b", "box", "generate", "chat", "serve"]
    for (word, wanted) in [
      ("generat", "generate"), ("genrate", "generate"), ("GENERATE", "generate"), ("caht", "chat"), ("sevre", "serve"),
      ("smollm2-360m", "SmolLM2-360M"), ("SmolLM2-135M-Instruct.Q4_0", "SmolLM2-135M-Instruct.Q4_1"),
      ("135m-instruct", "SmolLM2-135M-Instruct.Q4_1"), ("qwen3", "org/qwen3-0.6b"), ("bxo", "box"),
    ] {
      #expect(NearestNames.of(word, among: names).first == wanted, "\(word)")
    }
    for word in ["", "x", "zebra", "Once upon a time", "hello", String(repeating: "box", count: 1000)] {
      #expect(NearestNames.of(word, among: names).isEmpty, "\(word)")
    }
    #expect(NearestNames.of("smollm2", among: names).count == 2)
    #expect(NearestNames.question("caht", among: names) == "; did you mean chat?")
    #expect(NearestNames.question("zebra", among: names).isEmpty)
  }

  @Test func aMissingModelIsAnsweredWithItsNeighbours() throws {
    let scratch = try TestData.Scratch()
    try FileManager.default.createDirectory(atPath: scratch.file("models/me"), withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: scratch.file("models/me/Small-1B.pth")))
    let library = ModelLibrary(home: scratch.path)
    #expect(try library.resolve("Small-1B").hasSuffix("me/Small-1B.pth"))
    #expect { try library.resolve("zebra") } throws: { "\($0)".contains("; see `martlet models list`, or fetch one") }
    #expect { try library.resolve("small-1b") } throws: {
      "\($0)".contains("? See `martlet models list`, or fetch one")
    }
    #expect { try library.resolve("me/smal-1b") } throws: { "\($0)".contains("did you mean me/Small-1B?") }
    #expect { try library.resolve("small") } throws: { "\($0)".contains("did you mean me/Small-1B?") }
    #expect { try library.resolve("") } throws: { "\($0)".contains("is empty") }
  }
}
