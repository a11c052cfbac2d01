import Foundation
import MartletTestSupport
import Testing

/// `martlet train` and `martlet finetune` as people meet them: plans, signals, resuming.
struct TrainingCommandTests {
  private static let executable: String = {
    // Beside the test bundle.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for _ in 0..<4 {
      let path = folder.appendingPathComponent("martlet").path
      if FileManager.default.isExecutableFile(atPath: path) { return path }
      folder.deleteLastPathComponent()
    }
    return "martlet"
  }()

  private struct Result {
    let code: Int32
    let output, errors: String
    /// The JSON objects of the output, one a line.
    var events: [[String: Any]] {
      output.split(separator: "\n").compactMap {
        (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
      }
    }
  }

  /// Runs the command; `whileRunning` may send it a signal.
  private func martlet(
    _ arguments: [String], in folder: String? = nil, whileRunning: (pid_t) -> Void = { _ in }
  ) throws -> Result {
    let scratch = try TestData.Scratch()
    for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: scratch.file(name), contents: nil) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.executable)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(["MARTLET_HOME": scratch.path]) { $1 }
    process.standardOutput = FileHandle(forWritingAtPath: scratch.file("out"))
    process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
    try process.run()
    let watch = MartletCommand.Watch(process)
    whileRunning(process.processIdentifier)
    process.waitUntilExit()
    watch.end()
    func text(_ name: String) -> String {
      String(decoding: FileManager.default.contents(atPath: scratch.file(name)) ?? Data(), as: UTF8.self)
    }
    return Result(code: process.terminationStatus, output: text("out"), errors: text("err"))
  }

  /// Waits until so many bytes more were written to a run's metrics, half a minute at most.
  private func wait(for bytes: Int, in folder: String) {
    func size() -> Int { (FileManager.default.contents(atPath: folder + "/metrics.jsonl") ?? Data()).count }
    let before = size(), end = Date() + 30
    while size() < before + bytes, Date() < end { usleep(500) }
  }

  private func writePairs(_ count: Int, to path: String) throws {
    let lines = (0..<count).map { "{\"prompt\": \"Q\($0): what is \($0)+1? \", \"completion\": \"\($0 + 1)\"}\n" }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
  }

  private let small = ["--layers", "2", "--width", "32", "--head-size", "16", "--context", "32", "--threads", "1"]

  /// A run of `train` that was stopped by a signal after a few steps.
  private func begin(_ scratch: TestData.Scratch, _ more: [String] = [], signal: Int32 = SIGTERM) throws -> Result {
    let arguments =
      ["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("r"), "--steps", "3000"] + small + more
    return try martlet(arguments) { process in
      wait(for: 400, in: scratch.file("r"))
      kill(process, signal)
    }
  }

  @Test func terminationSavesLikeControlC() throws {
    for (signal, code) in [(SIGTERM, Int32(143)), (SIGINT, 130)] {
      let scratch = try TestData.Scratch()
      try writePairs(60, to: scratch.file("d.jsonl"))
      let stopped = try begin(scratch, ["--checkpoint-every", "100000"], signal: signal)
      #expect(stopped.code == code && stopped.errors.contains("--resume \(scratch.file("r"))"), "\(stopped.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("r/checkpoints"))
      #expect(names.contains { $0.hasPrefix("step-") })
    }
  }

  /// `--resume DIR` needs nothing else, from any folder, and ends with the bits of a run that was never stopped.
  @Test func resumingNeedsTheFolderAlone() throws {
    let scratch = try TestData.Scratch()
    try writePairs(60, to: scratch.file("d.jsonl"))
    let options = ["train", "--data", "d.jsonl", "--steps", "60", "--train-on-prompt", "--validation", "0"] + small
    #expect(try martlet(options + ["--out", "whole"], in: scratch.path).code == 0)
    _ = try martlet(options + ["--out", "r"], in: scratch.path) { process in
      wait(for: 2000, in: scratch.file("r"))
      kill(process, SIGKILL)
    }
    let resumed = try martlet(["train", "--resume", scratch.file("r")], in: "/")
    #expect(resumed.code == 0, "\(resumed.errors)")
    for file in ["model.safetensors", "metrics.jsonl"] {
      let both = ["whole", "r"].map { FileManager.default.contents(atPath: scratch.file("\($0)/\(file)")) }
      #expect(both[0] != nil && both[0] == both[1], "\(file)")
    }
    // Longer is allowed, by steps and by epochs, and again; shorter is not.
    let longer = try martlet(["train", "--resume", scratch.file("r"), "--steps", "70", "--json"])
    #expect(longer.code == 0 && longer.events.contains { $0["step"] as? Int == 70 }, "\(longer.errors)")
    #expect(!longer.events.contains { $0["event"] as? String == "step" && $0["step"] as? Int == 60 })
    // Named by --out alone.
    let byOut = try martlet(["train", "--resume", "--out", "r", "--steps", "71", "--json"], in: scratch.path)
    #expect(byOut.code == 0 && byOut.events.contains { $0["step"] as? Int == 71 }, "\(byOut.errors)")
    let epochs = try martlet(["train", "--resume", scratch.file("r"), "--epochs", "200", "--json"])
    #expect(epochs.code == 0 && epochs.events.contains { $0["step"] as? Int ?? 0 > 75 }, "\(epochs.errors)")
    let shorter = try martlet(["train", "--resume", scratch.file("r"), "--steps", "20"])
    #expect(shorter.code == 1 && shorter.errors.contains("steps already"), "\(shorter.errors)")
    // The folder may be named by --out as well, and by no other name.
    let other = try martlet(["train", "--resume", scratch.file("r"), "--out", scratch.file("s")])
    #expect(other.code == 1 && other.errors.contains("leave --out out"), "\(other.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("s")))
    let twice = try martlet(["train", "--resume", "r", "--out", "./r/", "--steps", "20"], in: scratch.path)
    #expect(twice.code == 1 && twice.errors.contains("steps already"), "\(twice.errors)")
    #expect(try martlet(["train", "--resume"]).errors.contains("give --resume DIR, or --out DIR with it"))
    #expect(try martlet(["finetune", "--resume", scratch.file("r")]).errors.contains("martlet train --resume"))
    #expect(try martlet(["train", "--resume", scratch.file("none")]).errors.contains("no run to resume"))
  }

  /// A command line that is repeated with `--resume` must be the same one.
  @Test func changedOptionsAreRefusedByName() throws {
    let scratch = try TestData.Scratch()
    try writePairs(60, to: scratch.file("d.jsonl"))
    let first = try begin(scratch, ["--train-on-prompt", "--validation", "0", "--batch", "2"])
    #expect(first.code == 143, "\(first.errors)")
    let base = ["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("r"), "--resume", "--steps", "3000"]
    let whole = base + small + ["--train-on-prompt", "--validation", "0", "--batch", "2"]
    for (arguments, words) in [
      (
        base + small + ["--validation", "0", "--batch", "2"],
        "with --train-on-prompt and would continue without --train-on-prompt"
      ),
      (
        base + small + ["--train-on-prompt", "--batch", "2"],
        "with --validation 0.0 and would continue with --validation 0.1"
      ),
      (base + small + ["--train-on-prompt", "--validation", "0"], "with --batch 2 and would continue without --batch"),
      (whole + ["--lr", "0.1"], "without --learning-rate and would continue with --learning-rate 0.1"),
      (whole + ["--seed", "9"], "--seed"), (whole + ["--no-parse-special"], "--parse-special"),
      (whole + ["--width", "64"], "--width"),
      (
        ["train", "--resume", scratch.file("r"), "--context", "64"],
        "with --context 32 and would continue with --context 64"
      ),
    ] {
      let result = try martlet(arguments)
      #expect(result.code == 1 && result.errors.contains(words), "\(words): \(result.errors)")
    }
  }

  /// Data that has changed is refused, or taken by name; a shorter file is no trap.
  @Test(arguments: [1, 3, 59, 90]) func changedData(count: Int) throws {
    let scratch = try TestData.Scratch()
    try writePairs(60, to: scratch.file("d.jsonl"))
    #expect(try begin(scratch, ["--validation", "0", "--checkpoint-every", "2"], signal: SIGKILL).code == SIGKILL)
    try writePairs(count, to: scratch.file("d.jsonl"))
    let refused = try martlet(["train", "--resume", scratch.file("r")])
    #expect(refused.code == 1 && refused.errors.contains("the data has changed"), "\(refused.errors)")
    #expect(refused.errors.contains("--accept-changed-data"))
    let steps = ["train", "--resume", scratch.file("r"), "--steps", "20000", "--accept-changed-data"]
    let accepted = try martlet(steps) { process in
      wait(for: 200, in: scratch.file("r"))
      kill(process, SIGTERM)
    }
    #expect(
      accepted.code == 143 && accepted.errors.contains("the run continues with the new data"), "\(accepted.errors)")
    // From now on the new data is the run's.
    let again = try martlet(["train", "--resume", scratch.file("r")]) { process in
      wait(for: 200, in: scratch.file("r"))
      kill(process, SIGTERM)
    }
    #expect(again.code == 143 && !again.errors.contains("changed since"), "\(again.errors)")
  }

  /// The plan comes before the first step, and little data gets some tens of steps.
  @Test func thePlanIsToldFirst() throws {
    let scratch = try TestData.Scratch()
    try writePairs(40, to: scratch.file("d.jsonl"))
    let arguments = ["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("r")] + small
    let result = try martlet(arguments + ["--json"])
    #expect(result.code == 0, "\(result.errors)")
    let plan = try #require(result.events.first)
    #expect(plan["event"] as? String == "plan" && plan["examples"] as? Int == 36, "\(plan)")
    let steps = try #require(plan["steps"] as? Int)
    #expect((30...200).contains(steps) && plan["warmup"] as? Int == steps / 10)
    for key in ["tokens", "counted_tokens", "epochs", "learning_rate", "batch", "validation_examples"] {
      #expect(plan[key] != nil, "\(key)")
    }
    let losses = result.events.filter { $0["event"] as? String == "step" }.compactMap { $0["loss"] as? Double }
    #expect(losses.count == steps && (losses.last ?? 9) < (losses.first ?? 0) * 0.8, "\(losses)")
    let short = try martlet(
      ["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("s"), "--steps", "1", "--warmup", "1"] + small)
    #expect(
      short.errors.contains("1 step of the optimiser will change little") && short.errors.contains("plan: 1 step "))
  }

  /// Adapters and states on a model that was trained here; one that moved nothing is told.
  @Test func adaptersAndStates() throws {
    let scratch = try TestData.Scratch()
    try writePairs(60, to: scratch.file("d.jsonl"))
    let made = try martlet(
      ["train", "--data", scratch.file("d.jsonl"), "--out", scratch.file("base"), "--steps", "60", "--lr", "0.01"]
        + small)
    #expect(made.code == 0, "\(made.errors)")
    let model = scratch.file("base/model.safetensors")
    try Data((0..<30).map { "{\"text\": \"abc\($0)xyz\"}\n" }.joined().utf8).write(
      to: URL(fileURLWithPath: scratch.file("t.jsonl")))
    func finetune(_ out: String, _ more: [String]) throws -> Result {
      try martlet(
        ["finetune", model, "--tokenizer", "bytes", "--data", scratch.file("t.jsonl"), "--out", scratch.file(out)]
          + ["--threads", "1"] + more)
    }
    let still = try finetune("still", ["--lr", "1e-12"])
    #expect(still.code == 0 && still.errors.contains("the adapter has changed almost nothing"), "\(still.errors)")
    let moved = try finetune("moved", ["--lr", "0.01", "--json"])
    #expect(moved.code == 0 && !moved.errors.contains("changed almost nothing"), "\(moved.errors)")
    let gain = try #require(moved.events.last { $0["event"] as? String == "gain" })
    #expect(
      gain["moved"] as? Bool == true && (gain["loss_after"] as? Double ?? 9) < (gain["loss_before"] as? Double ?? 0))
    // The state learns alone, is written in both layouts, and texts begin from it.
    let state = try finetune("state", ["--method", "state", "--json"])
    #expect(state.code == 0 && !state.errors.contains("Warning"), "\(state.errors)")
    let learnt = try #require(state.events.last { $0["event"] as? String == "gain" })
    #expect((learnt["loss_after"] as? Double ?? 9) < (learnt["loss_before"] as? Double ?? 0) - 0.1, "\(learnt)")
    let generate = ["generate", model, "--tokenizer", "bytes", "abc", "--json", "-n", "8"]
    let plain = try martlet(generate)
    var texts: Set<String> = []
    for name in ["state.pth", "state.st", "best/state.pth"] {
      let tuned = try martlet(generate + ["--state", scratch.file("state/\(name)")])
      #expect(tuned.code == 0, "\(name): \(tuned.errors)")
      if !name.hasPrefix("best") { texts.insert(tuned.events.first?["text"] as? String ?? "") }
    }
    #expect(texts.count == 1 && !texts.contains(plain.events.first?["text"] as? String ?? ""))
    let more = try finetune(
      "more", ["--method", "state", "--state", scratch.file("state/state.st"), "--steps", "12", "--json"])
    let further = try #require(more.events.last { $0["event"] as? String == "gain" })
    #expect(abs((further["loss_before"] as? Double ?? 0) - (learnt["loss_after"] as? Double ?? 9)) < 0.02, "\(further)")
    #expect(try finetune("x", ["--method", "state", "--full"]).code == 64)
    #expect(try finetune("x", ["--state", "s"]).code == 64)
    // With the model named again, too, or not.
    for (place, words) in [["--resume"], [model, "--resume"], ["--resume", model]].enumerated() {
      let resumed = try martlet(
        ["finetune"] + words + ["--out", scratch.file("moved"), "--epochs", "\(50 + place)", "--json"])
      #expect(resumed.code == 0, "\(words): \(resumed.errors)")
    }
  }

  @Test func batchesAreShownWithALegend() throws {
    let scratch = try TestData.Scratch()
    try writePairs(2, to: scratch.file("d.jsonl"))
    let result = try martlet(["train", "--data", scratch.file("d.jsonl"), "--show-batch", "--validation", "0"])
    #expect(result.code == 0 && result.output.hasPrefix("[Tokens] in brackets count in the loss"), "\(result.output)")
    #expect(result.output.contains("what is 1+1? [2][<end>]"))
    #expect(try martlet(["train", "--data", scratch.file("d.jsonl")]).code == 64)
  }
}
