import Foundation
import MartletTestSupport
import Testing

@testable import MartletData

struct JSONLinesTests {
  /// gzip's own output, for `{"a":1}` and `{"a":2}`.
  private static let packed = Data(
    base64Encoded: "H4sIAAAAAAAAA6tWSlSyMqzlqgbRRrVcAGbAWhkQAAAA")

  @Test func linesArePackedOrPlain() throws {
    let scratch = try TestData.Scratch()
    let plain = Data("\u{feff}{\"a\":1}\r\n\n  \n{\"a\":2}".utf8)
    for (name, data) in [("plain.jsonl", plain), ("named-wrongly.jsonl", try #require(Self.packed))] {
      try data.write(to: URL(fileURLWithPath: scratch.file(name)))
      let lines = try JSONLines.read(scratch.file(name))
      #expect(lines.map { $0.value["a"]?.integer } == [1, 2], "\(name)")
    }
    #expect(try JSONLines.read(scratch.file("plain.jsonl")).map(\.number) == [1, 4])
  }

  @Test func whatIsWrongIsNamed() throws {
    let scratch = try TestData.Scratch()
    try Data([0x1f, 0x8b, 8, 0, 1]).write(to: URL(fileURLWithPath: scratch.file("cut.gz")))
    try Data("{}\n[1,]\n".utf8).write(to: URL(fileURLWithPath: scratch.file("bad.jsonl")))
    for (name, words) in [
      ("cut.gz", ["cut.gz", "gzip", "cut off"]), ("bad.jsonl", ["bad.jsonl, line 2, column 4"]),
      ("missing.jsonl", ["missing.jsonl", "no such file"]),
    ] {
      let error = #expect(throws: FileError.self) { try JSONLines.read(scratch.file(name)) }
      #expect(words.allSatisfy { error?.description.contains($0) == true }, "\(String(describing: error))")
    }
    try scratch.write(Array("\n{}".utf8), to: "one.jsonl")
    let line = try #require(try JSONLines.read(scratch.file("one.jsonl")).first)
    #expect(line.failure("it has no text").description.hasSuffix("one.jsonl, line 2: it has no text"))
  }
}
