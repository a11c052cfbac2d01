import Foundation
import MartletData
import MartletEvaluation
import MartletTestSupport
import Testing

/// What CPython's `random.Random` draws. The committed vectors are few; `MARTLET_ORACLE16` may name a folder with a longer `random.json`.
struct PythonRandomTests {
  static let files =
    [TestData.fixtures + "/evaluation/random.json"]
    + (ProcessInfo.processInfo.environment["MARTLET_ORACLE16"].map { [$0 + "/random.json"] } ?? [])

  @Test(arguments: files)
  func drawsAsPython(_ file: String) throws {
    let seeds = try #require(try JSONValue(parsing: JSONLines.contents(file))["seeds"]?.array)
    #expect(seeds.count >= 4)
    // A seed over 64 bits is written as a text.
    for vectors in seeds where vectors["seed"]?.integer != nil {
      let seed = try #require(vectors["seed"]?.integer)
      func list(_ key: String) throws -> [JSONValue] { try #require(vectors[key]?.array) }
      var random = PythonRandom(seed: seed)
      for word in try list("getrandbits32") { #expect(random.bits(32) == word.integer.map(UInt64.init)) }
      random = PythonRandom(seed: seed)
      for unit in try list("random") { #expect(random.unit() == unit.number) }
      random = PythonRandom(seed: seed)
      for drawn in try list("getrandbits") {
        #expect(random.bits(try #require(drawn["k"]?.integer)) == drawn["value"]?.string.flatMap { UInt64($0) })
      }
      func check(_ sample: JSONValue) throws {
        let bound = try #require(sample["n"]?.integer), count = try #require(sample["k"]?.integer)
        #expect(random.places(below: bound, count: count) == sample["drawn"]?.array?.compactMap(\.integer))
      }
      random = PythonRandom(seed: seed)
      for sample in try list("sample_chain") { try check(sample) }
      for sample in vectors["sample"]?.array ?? [] {
        random = PythonRandom(seed: seed)
        try check(sample)
      }
      for shuffle in try list("shuffle") {
        random = PythonRandom(seed: seed)
        var order = Array(0..<(try #require(shuffle["n"]?.integer)))
        random.shuffle(&order)
        #expect(order == shuffle["order"]?.array?.compactMap(\.integer))
      }
      random = PythonRandom(seed: seed)
      for choice in try list("choice") {
        #expect(random.below(try #require(choice["n"]?.integer)) == choice["index"]?.integer)
      }
    }
  }

  @Test func drawsElements() {
    var random = PythonRandom(seed: 1234), places = PythonRandom(seed: 1234)
    let letters = ["a", "b", "c", "d", "e"]
    #expect(random.sample(letters, count: 3) == places.places(below: 5, count: 3).map { letters[$0] })
    #expect(random.choice([String]()) == nil && random.choice(["a"]) == "a")
  }
}
