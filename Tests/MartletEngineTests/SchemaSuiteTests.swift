import Foundation
import MartletData
import Testing

@testable import MartletEngine

/// What `Scripts/check_schemas.py` asks of the grammars of many schemas; it judges the answers itself.
struct SchemaSuiteTests {
  private static let file = ProcessInfo.processInfo.environment["MARTLET_SCHEMA_SUITE"]

  /// Reads lines `{"schema": TEXT, "texts": [...], "seeds": n}` and writes lines
  /// `{"error": ..., "loosened": [...], "samples": [...], "stuck": n, "accepted": [...]}` to FILE.results.
  @Test(.enabled(if: file != nil, "MARTLET_SCHEMA_SUITE names no file of schemas"))
  func answersForTheScript() throws {
    let path = try #require(Self.file)
    let isLoose = ProcessInfo.processInfo.environment["MARTLET_SCHEMA_LOOSE"] != nil
    var results: [UInt8] = []
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let question = try JSONValue(parsing: String(line))
      var answer: JSONValue = [:]
      do {
        var loosened: [String] = []
        let schema = try JSONValue(parsing: question["schema"]?.string ?? "")
        let start = ContinuousClock.now
        let grammar =
          isLoose
          ? try Grammar { try Grammar.toolArguments(schema, into: &$0, loosened: &loosened) }
          : try Grammar.jsonSchema(schema)
        let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
        var walk = GrammarWalk(grammar, seed: 1)
        var samples: [JSONValue] = []
        var stuck: [JSONValue] = []
        for _ in 0..<(question["seeds"]?.integer ?? 10) {
          switch walk.next() {
          case .text(let text): samples.append(.string(text))
          case .stuck(let text): stuck.append(.string(text))
          case .endless: break
          }
        }
        let accepted = (question["texts"]?.array ?? []).map { JSONValue.bool(grammar.accepts($0.string ?? "")) }
        answer = [
          "samples": .array(samples), "stuck": .array(stuck), "accepted": .array(accepted),
          "loosened": .array(loosened.map(JSONValue.string)), "seconds": .number(seconds),
        ]
      } catch {
        answer = ["error": .string("\(error)")]
      }
      answer.write(to: &results)
      results.append(UInt8(ascii: "\n"))
    }
    try Data(results).write(to: URL(fileURLWithPath: path + ".results"))
  }
}
