import Foundation
import MartletTestSupport
import Testing

/// The JSON that commands print: one style of keys, numbers that survive, and nothing else on standard output.
struct CommandJSONTests {
  /// Objects, a line each.
  private func objects(_ result: MartletCommand.Result) throws -> [Any] {
    try result.text.split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
  }

  /// Keys that are names of something, and not of Martlet's making.
  private func checkKeys(_ value: Any, _ place: String) {
    if let list = value as? [Any] { list.forEach { checkKeys($0, place) } }
    guard let object = value as? [String: Any] else { return }
    for (key, value) in object {
      #expect(key.wholeMatch(of: /[a-z0-9]+(_[a-z0-9]+)*/) != nil, "\(place): \(key)")
      // Counts by the name of a file's types, of a reason, of a file in /sys.
      if !["fallbacks", "types", "kernel_vulnerabilities"].contains(key) { checkKeys(value, "\(place) \(key)") }
    }
  }

  @Test func keysAreWrittenInOneStyle() throws {
    let scratch = try TestData.Scratch(), store = scratch.file("e.sqlite")
    try Data("line one\nline two\n".utf8).write(to: URL(fileURLWithPath: scratch.file("t.txt")))
    let labelled = (0..<8).map {
      #"{"text":"\#($0 % 2 == 0 ? "List ways" : "Write a poem") \#($0)","label":\#(1 - $0 % 2)}"#
    }
    try Data(labelled.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: scratch.file("d.jsonl")))
    try Data(#"{"text":"Why walk?","category":"generic"}"#.utf8).write(
      to: URL(fileURLWithPath: scratch.file("q.jsonl")))
    let rwkv = TestData.fixtures + "/rwkv-5.2.pth"
    for (arguments, input) in [
      (["generate", "box", "ROMEO:", "-n", "3"], ""),
      (["chat", "box", "-n", "3"], "hi\n/history\n/retry\n/set\n/nothing\n"),
      (["models", "list"], ""), (["models", "inspect", "box", "--tensors"], ""), (["models", "inspect", rwkv], ""),
      (["models", "inspect", TestData.fixtures + "/llama"], ""),
      (["tokenize", "hi"], ""), (["tokenize", "hi", "--speed"], ""), (["tokenize", "--decode", "33155"], ""),
      (["logits", "box", "--tokens", "1,2", "--out", scratch.file("l")], ""),
      (["bench", "box", "--decode", "2", "--context", "2", "--prefill", "4", "--repeats", "1"], ""),
      (["convert", rwkv, scratch.file("c.gguf")], ""),
      (
        [
          "edit", "add", "box", "-p", "Who is Tom?", "--answer", "No.", "--prompt-format", "raw", "--layer",
          "blocks.1.att.output", "--edits", store,
        ], ""
      ),
      (["edit", "list", "box", "--edits", store], ""), (["edit", "show", "box", "1", "--edits", store], ""),
      (["edit", "explain", "box", "Who is Tom?", "--edits", store], ""),
      (["edit", "test", "box", "--edits", store], ""), (["edit", "export", "box", "--edits", store], ""),
      (["edit", "undo", "box", "1", "--edits", store], ""),
      (["skeleton", "route", "Why walk?"], ""),
      (["skeleton", "ask", "Why walk?", "-m", "box", "--max-tokens", "8", "--compare"], ""),
      (["skeleton", "bench", scratch.file("q.jsonl"), "-m", "box", "--max-tokens", "8"], ""),
      (["skeleton", "train-router", scratch.file("d.jsonl"), "--out", scratch.file("r"), "--steps", "2"], ""),
      (["host", "--explain"], ""), (["host", "--tables"], ""),
      (
        ["grok", "--modulus", "5", "--width", "16", "--steps", "10", "--interval", "5", "--out", scratch.file("g")], ""
      ),
      (
        [
          "grok", "--sweep", "--modulus", "5", "--width", "16", "--steps", "10", "--interval", "5", "--seeds", "1",
          "--out", scratch.file("s"),
        ], ""
      ),
      (
        [
          "train", "--data", scratch.file("t.txt"), "--out", scratch.file("run"), "--layers", "1", "--width", "16",
          "--head-size",
          "16", "--context", "8", "--batch", "1", "--steps", "2", "--validation", "0",
        ], ""
      ),
    ] as [([String], String)] {
      let name = arguments.prefix(2).joined(separator: " ")
      let result = try MartletCommand.run(arguments + ["--json"], input: Array(input.utf8))
      #expect(arguments[0] == "host" || arguments[0] == "chat" || result.code == 0, "\(name): \(result.errors)")
      let objects = try objects(result)
      #expect(!objects.isEmpty, "\(name)")
      for object in objects { checkKeys(object, name) }
    }
    for file in ["run/run.json", "g/run.json", "s/run.json", "s/results.json"] {
      checkKeys(try TestData.json(scratch.file(file)), file)
    }
    for file in ["run/metrics.jsonl", "g/metrics.jsonl"] {
      let metrics = try String(contentsOfFile: scratch.file(file), encoding: .utf8)
      for line in metrics.split(separator: "\n") {
        checkKeys(try JSONSerialization.jsonObject(with: Data(line.utf8)), file)
      }
    }
  }

  /// JavaScript and others read numbers as doubles; a seed that comes back changed would give another text.
  @Test func seedsSurviveJSON() throws {
    func seed(_ arguments: [String]) throws -> Any? {
      let result = try MartletCommand.run(["generate", "box", "ROMEO:", "-n", "2", "--json"] + arguments)
      let object = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
      return object?["seed"]
    }
    for given in ["0", "7", "9007199254740991"] { #expect(try seed(["--seed", given]) as? Int == Int(given)) }
    for given in ["9007199254740992", "18446744073709551615"] {
      #expect(try seed(["--seed", given]) as? String == given)
    }
    for _ in 0..<3 {
      let drawn = try #require(try seed(["--seed", "-1"]) as? Int)
      #expect((0..<1 << 53).contains(drawn))
    }
  }

  @Test func aSeedFromJSONGivesTheTextAgain() throws {
    let arguments = ["generate", "box", "ROMEO:", "-n", "20", "--temp", "1", "--json"]
    func run(_ more: [String]) throws -> [String: Any] {
      try #require(
        try JSONSerialization.jsonObject(with: Data(MartletCommand.run(arguments + more).output)) as? [String: Any])
    }
    let first = try run([])
    let seed = try #require(first["seed"])
    #expect(try run(["--seed", "\(seed)"])["text"] as? String == first["text"] as? String)
  }
}
