import Foundation
import MartletData
import MartletTestSupport
import Testing

/// `martlet evaluate` with the model in the box and a small task of the test's own.
struct EvaluateCommandTests {
  private let scratch: TestData.Scratch

  init() throws {
    scratch = try TestData.Scratch()
    try write(rows: 80)
    try Data(
      """
      {"name": "small", "data": [{"files": ["rows.jsonl"], "origin": "made here", "licence": "none"}], "form": "choices",
       "context": "{{q}}", "choices": ["{{a}}", "{{b}}"], "target": "{{right}}", "metrics": ["acc", "acc_norm"]}
      """.utf8
    ).write(to: URL(fileURLWithPath: scratch.file("small.json")))
  }

  private func write(rows: Int) throws {
    let lines = (0..<rows).map {
      "{\"q\": \"ROMEO: \($0) times I said\", \"a\": \"that I love thee\", \"b\": \"xq zz \($0)\", \"right\": \($0 % 5 == 0 ? 1 : 0)}\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: scratch.file("rows.jsonl")))
  }

  private func evaluate(_ more: [String], models: [String] = ["box"]) throws -> MartletCommand.Result {
    try MartletCommand.run(
      ["evaluate"] + models + ["--tasks", scratch.file("small.json"), "--data", scratch.path, "--threads", "1"] + more)
  }

  private func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: scratch.file(name)) }

  @Test func scoresComeAsTableAsJSONAndAsPage() throws {
    let result = try evaluate(["--json", "--html", scratch.file("page.html"), "--rows", scratch.file("rows")])
    #expect(result.code == 0, "\(result.errors)")
    let object = try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    let task = try #require((object["tasks"] as? [[String: Any]])?.first)
    let metrics = try #require(task["metrics"] as? [String: [String: Any]])
    #expect(task["task"] as? String == "small" && task["rows"] as? Int == 80 && task["guessing"] as? Double == 0.5)
    let value = try #require(metrics["acc"]?["value"] as? Double)
    #expect(value > 0.5 && metrics["acc"]?["standard_error"] is Double)
    let lines = String(decoding: try #require(bytes("rows")), as: UTF8.self).split(separator: "\n")
    let right = lines.count { $0.contains("\"correct\":true") }
    #expect(lines.count == 80 && abs(Double(right) / 80 - value) < 1e-9)
    #expect(bytes("page.html").map { String(decoding: $0, as: UTF8.self).contains("<svg") } == true)
    let text = try evaluate(["--limit", "10", "--compare", "rwkv-5-world"])
    #expect(text.code == 0 && text.text.contains("small") && text.text.contains("±"), "\(text.text)")
    // Nothing is replaced unasked.
    let again = try evaluate(["--rows", scratch.file("rows")])
    #expect(again.code == 1 && again.errors.contains("go on with it (--resume)"), "\(again.errors)")
    #expect(try evaluate(["--rows", scratch.file("rows"), "--force", "--limit", "3"]).code == 0)
    #expect(bytes("rows").map { $0.count { $0 == 0x0a } } == 3)
  }

  @Test func twoModelsArePaired() throws {
    // The same model by another name.
    let root = URL(fileURLWithPath: TestData.fixtures).deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("Sources/CMartletBox/box.gguf").path
    let result = try evaluate(["--json", "--rows", scratch.file("rows"), "--limit", "20"], models: ["box", file])
    #expect(result.code == 0, "\(result.errors)")
    let object = try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    let comparison = try #require((object["comparisons"] as? [[String: Any]])?.first)
    #expect(comparison["difference"] as? Double == 0 && comparison["p_value"] as? Double == 1)
    #expect(comparison["rows"] as? Int == 20 && bytes("rows").map { $0.count { $0 == 0x0a } } == 40)
    #expect(try evaluate([], models: ["box", "box"]).errors.contains("box is given twice"))
    #expect(try evaluate(["--adapter", "x"], models: ["box", "other"]).errors.contains("write MODEL+FILE instead"))
    #expect(try evaluate([], models: ["box+nowhere"]).errors.contains("nowhere"))
  }

  /// A server of the same model gives the same tokens and scores, but for the digits that JSON carries.
  @Test func anEndpointIsEvaluatedAsAModelIs() async throws {
    let server = try ServeTests.Server(["--port", "0", "--threads", "1"])
    let address = "http://127.0.0.1:\(try await server.port())/v1"
    let there = try evaluate(
      ["--endpoint", address, "--tokenizer", "bytes", "--limit", "6", "--rows", scratch.file("there")], models: [])
    // --threads is the server's.
    #expect(there.code == 64 && there.errors.contains("--threads needs a local model"), "\(there.errors)")
    let arguments = [
      "evaluate", "box", "--endpoint", address, "--tasks", scratch.file("small.json"), "--data", scratch.path,
      "--limit", "6",
    ]
    let scored = try MartletCommand.run(arguments + ["--tokenizer", "bytes", "--rows", scratch.file("rows")])
    #expect(scored.code == 0, "\(scored.errors)")
    #expect(try evaluate(["--limit", "6", "--rows", scratch.file("here")]).code == 0)
    let both = try ["rows", "here"].map { try JSONLines.read(scratch.file($0)).map(\.value) }
    #expect(both[0].count == 6 && both[1].count == 6)
    for (one, other) in zip(both[0], both[1]) {
      #expect(one["prediction"] == other["prediction"] && one["task"] == other["task"])
      for (one, other) in zip(one["requests"]?.array ?? [], other["requests"]?.array ?? []) {
        #expect(one["context_tokens"] == other["context_tokens"] && one["is_greedy"] == other["is_greedy"])
        #expect(one["continuation_tokens"] == other["continuation_tokens"])
        let values = [one, other].compactMap { $0["log_likelihood"]?.number }
        #expect(values.count == 2 && abs(values[0] - values[1]) < 1e-2, "\(values)")
      }
    }
    let blind = try MartletCommand.run(arguments)
    #expect(blind.code == 1 && blind.errors.contains("--tokenizer"), "\(blind.errors)")
  }

  /// A run that is killed at any moment goes on to the bytes of one that was not.
  @Test func aKilledRunGoesOn() throws {
    try write(rows: 600)
    #expect(try evaluate(["--rows", scratch.file("whole")]).code == 0)
    let whole = try #require(bytes("whole"))
    #expect(whole.count { $0 == 0x0a } == 600)
    for trial in 0..<4 {
      let file = scratch.file("part\(trial)")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: MartletCommand.executable)
      process.arguments = [
        "evaluate", "box", "--tasks", scratch.file("small.json"), "--data", scratch.path, "--threads", "1", "--rows",
        file,
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      let watch = MartletCommand.Watch(process)
      // Killed once about so many bytes are there.
      let end = Date() + 60
      while (FileManager.default.contents(atPath: file)?.count ?? 0) <= trial * 9000, process.isRunning, Date() < end {
        usleep(300)
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      watch.end()
      let resumed = try evaluate(["--rows", file, "--resume"])
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(bytes("part\(trial)") == whole, "trial \(trial)")
    }
    // What is whole is only reported.
    let done = try evaluate(["--rows", scratch.file("whole"), "--resume", "--json"])
    #expect(done.code == 0 && done.text.contains("\"resumed_rows\":600"), "\(done.errors)")
    #expect(bytes("whole") == whole)
    let other = try evaluate(["--rows", scratch.file("whole"), "--resume", "--limit", "5"])
    #expect(other.code == 1 && other.errors.contains("600 rows of small and would go on with 5"), "\(other.errors)")
  }

  @Test func oneProcessWritesAFileOfRows() throws {
    try write(rows: 600)
    let file = scratch.file("rows"), process = Process()
    process.executableURL = URL(fileURLWithPath: MartletCommand.executable)
    process.arguments = [
      "evaluate", "box", "--tasks", scratch.file("small.json"), "--data", scratch.path, "--threads", "1", "--rows",
      file,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let watch = MartletCommand.Watch(process), end = Date() + 60
    while (FileManager.default.contents(atPath: file)?.count ?? 0) == 0, process.isRunning, Date() < end { usleep(300) }
    kill(process.processIdentifier, SIGSTOP)
    for option in ["--resume", "--force"] {
      let other = try evaluate(["--rows", file, option])
      #expect(other.code == 1 && other.errors.contains("another process is writing it"), "\(other.errors)")
    }
    kill(process.processIdentifier, SIGCONT)
    process.waitUntilExit()
    watch.end()
    #expect(process.terminationStatus == 0)
    #expect(try evaluate(["--rows", scratch.file("whole")]).code == 0 && bytes("rows") == bytes("whole"))
  }

  /// What would be left out in silence is refused.
  @Test func optionsThatContradictAreRefused() throws {
    try FileManager.default.copyItem(atPath: scratch.file("small.json"), toPath: scratch.file("again.json"))
    for (arguments, part) in [
      (["--tasks", "\(scratch.file("small.json")),\(scratch.file("again.json"))"], "two tasks are called small"),
      (["--parallel", "4"], "--parallel needs --endpoint"),
      (["--key-variable", "KEY"], "--key-variable needs --endpoint"),
      (["--rows", "-"], "--rows needs the name of a file"),
      (["--rows", scratch.file("x"), "--html", scratch.path + "/./x"], "--rows and --html name the same file"),
      (["box+a.sqlite", "--edits", "b.sqlite"], "a model has one file of edits, not both a.sqlite and b.sqlite"),
    ] {
      let models = arguments[0].hasPrefix("box") ? [] : ["box"]
      let tasks = arguments[0] == "--tasks" ? [] : ["--tasks", scratch.file("small.json")]
      let result = try MartletCommand.run(["evaluate"] + models + arguments + tasks + ["--data", scratch.path])
      #expect(result.code != 0 && result.errors.contains(part), "\(arguments): \(result.errors)")
    }
  }

  @Test func whatCannotBeIsSaidBeforeTheModelIsLoaded() throws {
    for (options, words) in [
      (["--resume"], "name it with --rows"), (["--limit", "0"], "--limit must be at least 1"),
      (["--fewshot-as-multiturn"], "needs --chat-template"), (["--chat-format", "chatml"], "needs --chat-template"),
      (["--endpoint", "http://127.0.0.1:1/v1", "--format", "f32"], "--format needs a local model"),
    ] {
      let result = try evaluate(options, models: ["/no/such/model"])
      #expect(result.code == 64 && result.errors.contains(words), "\(options): \(result.errors)")
    }
    for (options, words) in [
      (["--compare", "rwkv-5-wrld"], "rwkv-5-world"), (["--html", scratch.path], "it is a folder"),
      (["--tasks", "arc_eazy"], "arc_easy"), (["--data", scratch.file("none")], "no such folder"),
      (["--tasks", "piqa"], "piqa"),
    ] {
      let result = try evaluate(options, models: ["/no/such/model"])
      #expect(result.code == 1 && result.errors.contains(words), "\(options): \(result.errors)")
      #expect(!result.errors.contains("/no/such/model"), "\(result.errors)")
    }
    let list = try MartletCommand.run(["evaluate", "--list"])
    #expect(list.code == 0 && list.text.contains("arc_easy") && list.text.contains("xcopa_it"))
  }
}
