import Foundation
import MartletCheckpoints
import MartletTestSupport
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The command as people and programs meet it: output, errors, exit codes.
struct CommandTests {
  private func martlet(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
  ) throws -> MartletCommand.Result {
    try MartletCommand.run(arguments, input: input, environment: environment)
  }

  private func json(_ result: MartletCommand.Result) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  private let rwkv = TestData.fixtures + "/rwkv-5.2.pth"

  @Test func helpHasAnExampleForEveryCommand() throws {
    for command in [
      "generate", "chat", "serve", "skeleton", "models", "convert", "tokenize", "logits", "bench", "train", "finetune",
      "merge", "grok", "edit", "host", "evaluate",
    ] {
      let result = try martlet([command, "--help"])
      #expect(result.code == 0 && result.text.contains("Example"), "\(command)")
    }
  }

  @Test func hostsAreJudged() throws {
    func cpuinfo(_ revision: String) -> [UInt8] {
      Array(
        """
        processor : 0
        vendor_id : GenuineIntel
        cpu family : 6
        model : 106
        model name : Intel(R) Xeon(R) Platinum 8375C
        stepping : 6
        microcode : \(revision)
        flags : erms fsrm

        """.utf8)
    }
    let open = try martlet(["host", "--input", "-", "--json", "--explain"], input: cpuinfo("0xd0003a5"))
    let results = try #require(json(open)["results"] as? [[String: Any]])
    #expect(open.code == 2 && results.first?["status"] as? String == "vulnerable")
    let citation = (results.first?["citations"] as? [[String: Any]])?.first
    #expect((citation?["sources"] as? [String])?.isEmpty == false)
    #expect(try martlet(["host", "--input", "-"], input: cpuinfo("0xd0003b9")).code == 0)
    #expect(try martlet(["host", "--input", "-"], input: cpuinfo("0xffffffff")).code == 3)
    for (format, words) in [
      ("--nagios", "HOST CRITICAL - Reptar vulnerable"), ("--prometheus", "martlet_host_flaw_status{"),
      ("--sarif", "\"level\":\"error\""), ("--strict", "do: "),
    ] {
      let result = try martlet(["host", "--input", "-", format], input: cpuinfo("0xd0003a5"))
      #expect(result.code == 2 && result.text.contains(words), "\(format)")
    }
    let live = try martlet(["host", "--json"])
    #expect(try live.code == Int32(json(live)["exit_code"] as? Int ?? -1))
    let wrong = try martlet(["host", "--input", "-"], input: Array("no processor here".utf8))
    #expect(wrong.code == 65 && wrong.errors.contains("not a /proc/cpuinfo"))
    #expect(try martlet(["host", "--root", "/nowhere"]).errors.contains("/nowhere/proc/cpuinfo"))
    #expect(try martlet(["host", "--root", "/", "--input", "x"]).code == 64)
    #expect(try martlet(["host", "--tables"]).text.contains("0x000606a6/0x87"))
  }

  @Test func logitsAreTheOracles() throws {
    let scratch = try TestData.Scratch()
    let tokens = (0..<24).map { "\((7 * $0 * $0 + 3 * $0 + 1) % 64)" }.joined(separator: ",")
    let result = try martlet([
      "logits", rwkv, "--tokens", tokens, "--out", scratch.file("l"), "--state-out", scratch.file("s"), "--format",
      "f32",
      "--json",
    ])
    #expect(result.code == 0, "\(result.errors)")
    #expect(try json(result)["rows"] as? Int == 24)
    let truth = try TestData.floats(TestData.fixtures + "/rwkv-5.2.logits")
    #expect(try TestData.largestDifference(TestData.floats(scratch.file("l")), truth) < 2e-5)
    let state = try TestData.floats(TestData.fixtures + "/rwkv-5.2.state")
    #expect(try TestData.largestDifference(TestData.floats(scratch.file("s")), state) < 2e-5)
  }

  @Test func tokenizeBothWays() throws {
    #expect(
      try martlet(["tokenize", "--stdin", "--json"], input: Array("Hello, world!".utf8)).text
        == "{\"ids\":[33155,45,40213,34]}\n")
    let raw: [UInt8] = [0xff, 0x00, 0x0a, 0x41]
    let ids = try martlet(["tokenize", "--stdin"], input: raw)
    #expect(try martlet(["tokenize", "--decode", "--stdin"], input: ids.output).output == raw)
    for list in ["33155,45", "[33155, 45]", "{\"ids\":[33155,45]}\n"] {
      #expect(try martlet(["tokenize", "--decode", list, "-m", "rwkv-world"]).text == "Hello,")
    }
    for (list, part) in [("abc", "abc"), ("1.5", "1.5"), ("5,x", "x")] {
      let wrong = try martlet(["tokenize", "--decode", list])
      #expect(wrong.code == 1 && wrong.output.isEmpty && wrong.errors.contains("\"\(part)\""), "\(wrong.errors)")
    }
  }

  @Test func misunderstoodCommandsShowTheirOwnUsage() throws {
    let result = try martlet(["generate", "box", ""])
    #expect(result.code == 64 && result.errors.contains("Usage: martlet generate"), "\(result.errors)")
  }

  @Test func variablesThatArePassedOverAreNamed() throws {
    let wrong = ["MARTLET_THREADS": "many", "MARTLET_SIMD": "mmx"]
    let result = try martlet(["tokenize", "hi"], environment: wrong)
    #expect(result.code == 0 && result.errors.contains("=many") && result.errors.contains("=mmx"), "\(result.errors)")
    let right = ["MARTLET_THREADS": "1", "MARTLET_SIMD": "portable"]
    #expect(try martlet(["tokenize", "hi"], environment: right).errors.isEmpty)
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func generateAnswersInJSON() throws {
    let shared = try #require(TestData.shared)
    let model = shared + "/rwkv/tiny-rwkv-5v2-730K-FP32.bin"
    let arguments = ["generate", model, "The ", "--max-tokens", "20", "--json", "--temperature", "1", "--seed", "5"]
    let first = try json(martlet(arguments)), second = try json(martlet(arguments))
    #expect((first["text"] as? String)?.isEmpty == false)
    #expect(first["text"] as? String == second["text"] as? String)
    let scratch = try TestData.Scratch()
    let saved = try martlet(["generate", model, "The ", "-n", "5", "--save-state", scratch.file("s"), "--json"])
    #expect(saved.code == 0)
    #expect(try martlet(["generate", model, "x", "-n", "5", "--load-state", scratch.file("s"), "--json"]).code == 0)
    let other = try martlet(["generate", model, "x", "--format", "q8_0", "--load-state", scratch.file("s")])
    #expect(other.code == 1 && other.errors.contains("another model"))
  }

  @Test func inspectAndConvert() throws {
    let scratch = try TestData.Scratch()
    #expect(try json(martlet(["models", "inspect", rwkv, "--json"]))["architecture"] as? String == "RWKV-5.2")
    let converted = scratch.file("m.gguf")
    #expect(try martlet(["convert", rwkv, converted, "--format", "q8_0"]).code == 0)
    let again = try martlet(["convert", rwkv, converted])
    #expect(again.code == 1 && again.errors.contains("--force"))
    let types = try json(martlet(["models", "inspect", converted, "--json"]))["types"] as? [String: Int]
    #expect((types?["q8_0"] ?? 0) > 0)
    #expect(
      try martlet(["convert", rwkv, scratch.file("m.safetensors"), "--format", "q4_0"]).errors.contains(
        "safetensors has no type"))
  }

  @Test func modelsAreFoundByName() throws {
    let scratch = try TestData.Scratch()
    try FileManager.default.createDirectory(atPath: scratch.file("models/me"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: rwkv, toPath: scratch.file("models/me/small.pth"))
    let home = ["MARTLET_HOME": scratch.path]
    #expect(try martlet(["models", "list"], environment: home).text.contains("me/small"))
    #expect(try martlet(["models", "inspect", "small"], environment: home).code == 0)
    #expect(try martlet(["models", "inspect", "large"], environment: home).errors.contains("models pull"))
    try "no model".write(toFile: scratch.file("text.gguf"), atomically: true, encoding: .utf8)
    let copy = try martlet(["models", "cp", scratch.file("text.gguf"), "text"], environment: home)
    #expect(copy.code == 1 && copy.errors.contains("text.gguf"), "\(copy.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("models/text.gguf")))
    #expect(try martlet(["models", "cp", "box", "mine"], environment: home).errors.contains("martlet convert"))
  }

  /// One plain sentence, a code of 1 (or 64 for a misunderstood command), and no trace.
  @Test func badInputIsAnsweredPlainly() throws {
    let scratch = try TestData.Scratch()
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: rwkv)))
    try Data(whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: scratch.file("cut.pth")))
    let cases: [([String], [UInt8], Int32, String)] = [
      (["generate", scratch.file("absent"), "x"], [], 1, "no model"),
      (["generate", scratch.file("cut.pth"), "x"], [], 1, "truncated"),
      (["generate", TestData.fixtures + "/evil.pth", "x"], [], 1, "refused"),
      (["generate", TestData.fixtures + "/blocks.json", "x"], [], 1, "not a model file"),
      (["generate", rwkv, "x", "--tokenizer", "bytes"], [], 1, "do not belong together"),
      (["logits", rwkv, "--tokens", "64", "--out", scratch.file("o")], [], 1, "outside the model's vocabulary"),
      (["logits", rwkv, "--tokens", "1,,2", "--out", scratch.file("o")], [], 64, "not a number"),
      (["logits", rwkv, "--tokens", "1", "--out", "/nonexistent/o"], [], 1, "cannot be written"),
      (["generate", rwkv, "x", "--colour"], [], 64, "Unknown option"),
      (["generate", rwkv, "x", "--format", "q3"], [], 64, "format"),
      (["generate", rwkv, "x", "--threads", "0"], [], 64, "--threads"),
    ]
    for (arguments, input, code, sentence) in cases {
      let result = try martlet(arguments, input: input)
      #expect(result.code == code, "\(arguments): \(result.code) \(result.errors)")
      #expect(result.errors.contains(sentence), "\(arguments): \(result.errors)")
      #expect(!result.errors.contains("Fatal") && !result.errors.contains("Stack"))
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func promptsThatAreNotTextAreRefused() throws {
    let shared = try #require(TestData.shared)
    let result = try martlet(["generate", shared + "/rwkv/tiny-rwkv-5v2-730K-FP32.bin"], input: [0xff, 0xfe])
    #expect(result.code == 1 && result.errors.contains("not UTF-8"))
  }

  /// A text to train on, in a folder of its own.
  private func trainingText(_ scratch: TestData.Scratch) throws -> String {
    let text = (0..<400).map { "line \($0 % 37) of a text that is learnt\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file("text.txt")))
    return scratch.file("text.txt")
  }

  private let small = [
    "--layers", "2", "--width", "32", "--head-size", "16", "--context", "32", "--batch", "4", "--steps", "120",
    "--checkpoint-every", "3", "--validate-every", "40",
  ]

  /// Killed (-9) at ten moments and resumed each time, a run ends with the bits of one that was never touched, and every
  /// checkpoint that stands under its name can be read.
  @Test(arguments: ["rwkv5", "llama"]) func aKilledRunGoesOnBitForBit(family: String) throws {
    let scratch = try TestData.Scratch()
    let text = try trainingText(scratch)
    let base = ["train", "--model", family, "--data", text] + small
    #expect(try martlet(base + ["--out", scratch.file("whole")]).code == 0)
    var seed: UInt64 = 7
    for round in 0..<10 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: MartletCommand.executable)
      process.arguments = base + ["--out", scratch.file("killed")] + (round > 0 ? ["--resume"] : [])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      seed = seed &* 6_364_136_223_846_793_005 &+ 1
      // The first kill waits until the run has begun.
      while round == 0, process.isRunning, !FileManager.default.fileExists(atPath: scratch.file("killed/metrics.jsonl"))
      {
        usleep(1000)
      }
      usleep(UInt32(20_000 + seed >> 33 % 120_000))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let folder = scratch.file("killed/checkpoints")
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !name.hasSuffix(".part") {
        for file in ["parameters", "moments"] {
          #expect(throws: Never.self) { try Safetensors.open("\(folder)/\(name)/\(file).safetensors") }
        }
      }
    }
    #expect(try martlet(base + ["--out", scratch.file("killed"), "--resume"]).code == 0)
    for file in ["model.safetensors", "metrics.jsonl", "best/model.safetensors"] {
      let both = ["whole", "killed"].map { FileManager.default.contents(atPath: scratch.file("\($0)/\(file)")) }
      #expect(both[0] != nil && both[0] == both[1], "\(file)")
    }
  }

  /// A run that trains an adapter further is that of the adapted model, and goes on as any other.
  @Test func aRunFromAnAdapterGoesOn() throws {
    let scratch = try TestData.Scratch()
    let text = try trainingText(scratch)
    #expect(try martlet(["train", "--data", text, "--out", scratch.file("base")] + small).code == 0)
    let model = scratch.file("base/model.safetensors")
    let base = [
      "finetune", model, "--data", text, "--batch", "2", "--context", "16", "--steps", "4", "--checkpoint-every", "2",
    ]
    #expect(try martlet(base + ["--out", scratch.file("first")]).code == 0)
    let run = scratch.file("second")
    #expect(try martlet(base + ["--adapter", scratch.file("first"), "--out", run]).code == 0)
    let result = run + "/adapter_model.safetensors"
    let whole = FileManager.default.contents(atPath: result)
    try FileManager.default.removeItem(atPath: result)
    try FileManager.default.removeItem(atPath: run + "/checkpoints/step-00000004")
    let resumed = try martlet(["finetune", "--resume", run])
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(whole != nil && FileManager.default.contents(atPath: result) == whole)
  }

  @Test func trainingRefusesWithReasons() throws {
    let scratch = try TestData.Scratch()
    let text = try trainingText(scratch)
    func refuse(_ arguments: [String], _ reason: String) throws {
      let result = try martlet(["train"] + arguments)
      #expect(result.code == 1 && result.errors.contains(reason), "\(arguments): \(result.errors)")
    }
    try refuse(["--data", scratch.file("none"), "--out", scratch.file("a")], "does not exist")
    try Data().write(to: URL(fileURLWithPath: scratch.file("empty.txt")))
    try refuse(["--data", scratch.file("empty.txt"), "--out", scratch.file("a")], "empty")
    try Data("{\"text\": \"a\"}\n{\"te".utf8).write(to: URL(fileURLWithPath: scratch.file("cut.jsonl")))
    try refuse(["--data", scratch.file("cut.jsonl"), "--out", scratch.file("a")], "line 2")
    #expect(
      try martlet(["train", "--data", text, "--out", scratch.file("b"), "--steps", "1"] + Array(small.prefix(10))).code
        == 0)
    try refuse(["--data", text, "--out", scratch.file("b")], "contains a run already")
    try refuse(["--data", text, "--out", scratch.file("c"), "--resume"], "no run to resume")
    try refuse(["--data", text, "--out", scratch.file("b"), "--resume", "--steps", "5"], "was started with --batch 4")
  }

  @Test func showBatchMarksWhatCounts() throws {
    let scratch = try TestData.Scratch()
    try Data("{\"prompt\": \"ask\", \"completion\": \"yes\"}".utf8).write(
      to: URL(fileURLWithPath: scratch.file("d.jsonl")))
    let result = try martlet(["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("x"), "--show-batch"])
    #expect(result.code == 0 && result.text.contains("ask[y][e][s][<end>]"), "\(result.text) \(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("x")))
  }

  @Test func theModelInTheBoxWrites() throws {
    let result = try json(martlet(["generate", "ROMEO:", "--max-tokens", "40", "--seed", "1", "--json"]))
    #expect((result["text"] as? String)?.count ?? 0 > 10)
    let same = try json(martlet(["generate", "box", "ROMEO:", "--max-tokens", "40", "--seed", "1", "--json"]))
    #expect(same["text"] as? String == result["text"] as? String)
    let wrong = try martlet(["generate", "models/none.gguf"])
    #expect(wrong.code == 1 && wrong.errors.contains("there is no model"))
  }

  @Test func edits() throws {
    let scratch = try TestData.Scratch(), store = scratch.file("e.sqlite")
    for command in [
      "add", "list", "show", "explain", "undo", "test", "calibrate", "export", "import", "bench", "scale",
    ] {
      let help = try martlet(["edit", command, "--help"])
      #expect(help.code == 0 && help.text.contains("Example:"), "\(command)")
    }
    #expect(try martlet(["edit", "list", "box", "--edits", store]).errors.contains("there are no edits yet"))
    #expect(try martlet(["edit", "add", "box", "--edits", store, "--prompt", "x"]).code == 64)
    #expect(
      try martlet(["edit", "add", "box", "--edits", store, "--prompt", "", "--answer", "y"]).errors
        .contains("the prompt is empty"))
    try #"{"prompt":"p","answer":""}\n[]\n"#.replacing("\\n", with: "\n")
      .write(toFile: scratch.file("s.jsonl"), atomically: true, encoding: .utf8)
    let stream = try martlet(["edit", "add", "box", "--edits", store, "--stream", scratch.file("s.jsonl"), "--json"])
    #expect(stream.code == 1 && stream.text.contains("the answer is empty") && stream.text.contains("\"line\":2"))
    let test = try martlet(["edit", "test", "box", "--edits", store, "--json"])
    let passed = try json(test)["passed"] as? Int
    #expect(test.code == 0 && passed == 0)
    let explained = try json(martlet(["edit", "explain", "box", "Who is Tom?", "--edits", store, "--json"]))
    #expect(explained["fires"] is NSNull)
    #expect(try martlet(["edit", "undo", "box", "3", "--edits", store]).errors.contains("there is no edit 3"))
    #expect(try martlet(["edit", "show", "box", "3", "--edits", store]).errors.contains("there is no edit 3"))
    try "text".write(toFile: scratch.file("t.sqlite"), atomically: true, encoding: .utf8)
    #expect(try martlet(["edit", "list", "box", "--edits", scratch.file("t.sqlite")]).errors.contains("damaged"))
  }

  @Test func routeAndTrainRouter() throws {
    let scratch = try TestData.Scratch()
    let yes = try json(martlet(["skeleton", "route", "--json", "What are the benefits of walking?"]))
    #expect(yes["use_skeleton"] as? Bool == true && (yes["probability"] as? Double ?? 0) > 0.5)
    #expect(try json(martlet(["skeleton", "route", "--json", "Write a poem."]))["use_skeleton"] as? Bool == false)
    let rows = (0..<8).map {
      #"{"text":"\#($0 % 2 == 0 ? "List ways to" : "Write a poem on") \#($0)","label":\#(1 - $0 % 2)}"#
    }
    try Data(rows.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: scratch.file("d.jsonl")))
    let made = try martlet(["skeleton", "train-router", scratch.file("d.jsonl"), "--out", scratch.file("r"), "--json"])
    #expect(made.code == 0, "\(made.errors)")
    let other = try json(
      martlet(["skeleton", "route", "--json", "--router", scratch.file("r"), "List ways to 5"]))
    #expect(other["use_skeleton"] as? Bool == true)
    #expect(try martlet(["skeleton", "route", "--router", scratch.file("d.jsonl"), "x"]).code == 1)
    #expect(try martlet(["skeleton", "ask", "x"]).errors.contains("--model"))
    #expect(try martlet(["skeleton", "ask", "x", "-m", "box", "--prompts", "none"]).errors.contains("no prompt set"))
  }

  @Test func askFallsBackWithJSON() throws {
    let result = try json(
      martlet([
        "skeleton", "ask", "ROMEO: hello", "-m", "box", "--mode", "on", "--max-tokens", "20", "--compare", "--json",
      ]))
    #expect(result["used_skeleton"] as? Bool == false && (result["reason"] as? String)?.isEmpty == false)
    #expect((result["normal"] as? [String: Any])?["answer"] as? String == result["answer"] as? String)
  }

  /// SIGTERM: the running answer is finished, a new one is refused, the exit code is 0.
  @Test func aServerThatIsToldToStopFinishes() async throws {
    let scratch = try TestData.Scratch()
    _ = FileManager.default.createFile(atPath: scratch.file("err"), contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: MartletCommand.executable)
    process.arguments = ["serve", "box", "--port", "0"]
    process.environment = ProcessInfo.processInfo.environment.merging(["MARTLET_HOME": scratch.path]) { $1 }
    process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
    try process.run()
    let watch = MartletCommand.Watch(process)
    defer {
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      watch.end()
    }
    var base: String?
    for _ in 0..<500 where base == nil {
      try await Task.sleep(for: .milliseconds(20))
      let log = String(decoding: FileManager.default.contents(atPath: scratch.file("err")) ?? Data(), as: UTF8.self)
      if log.contains("model ready"), let match = log.firstMatch(of: /address=(http:\S+)/) { base = String(match.1) }
    }
    let address = try #require(base)
    func request(_ tokens: Int) throws -> URLRequest {
      var request = URLRequest(url: try #require(URL(string: address + "/v1/completions")))
      request.httpMethod = "POST"
      request.httpBody = Data(#"{"prompt":"ROMEO:","max_tokens":\#(tokens),"ignore_eos":true}"#.utf8)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      return request
    }
    let long = try request(1500)
    let running = Task { try await URLSession.shared.data(for: long) }
    try await MartletCommand.waitUntilAnswering(address)
    kill(process.processIdentifier, SIGTERM)
    try await Task.sleep(for: .milliseconds(200))
    let session = URLSession(configuration: .ephemeral)
    let refused = try request(1)
    await #expect(throws: (any Error).self) { try await session.data(for: refused) }
    let (data, _) = try await running.value
    let reply = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect((reply["usage"] as? [String: Any])?["completion_tokens"] as? Int == 1500)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
