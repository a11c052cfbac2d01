import Foundation
import MartletTestSupport
import Testing

/// `martlet probe` as people and programs meet it, with the model in the box.
struct ProbeCommandTests {
  private func json(_ result: MartletCommand.Result) throws -> [String: Any] {
    let line = result.text.split(separator: "\n").last.map(String.init) ?? ""
    return try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(result.errors)\(result.text)")
  }

  @Test func summaryOfRows() throws {
    let rows = TestData.fixtures + "/icl/rows.jsonl"
    let result = try MartletCommand.run(["probe", "summary", rows, "--json"])
    #expect(result.code == 0, "\(result.errors)")
    let cells = try #require(try json(result)["cells"] as? [[String: Any]])
    #expect(cells.count == 10 && cells[0]["accuracy_batch_calibrated"] is Double)
    let text = try MartletCommand.run(["probe", "summary", rows])
    #expect(text.text.contains("AUROC") && text.text.contains("flipping all labels changes"))
  }

  @Test func aWrongRowEndsWithItsLine() throws {
    let scratch = try TestData.Scratch()
    try Data("{\"task\":\"t\"}\n".utf8).write(to: URL(fileURLWithPath: scratch.file("rows.jsonl")))
    let result = try MartletCommand.run(["probe", "summary", scratch.file("rows.jsonl"), "--json"])
    #expect(result.code == 1 && result.output.isEmpty && result.errors.contains("line 1"))
  }

  private func writeTexts(_ path: String) throws {
    let lines = ["good", "bad"].flatMap { label in
      (0..<40).map {
        #"{"text":"a \#(label) day \#($0)","label":"\#(label)","split":"\#($0 % 2 == 0 ? "train" : "validation")"}"#
      }
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func aProbeIsTheSameWhenItIsResumed() throws {
    let scratch = try TestData.Scratch(), data = scratch.file("texts.jsonl"), rows = scratch.file("rows.jsonl")
    try writeTexts(data)
    let arguments = [
      "probe", "icl", "box", "--data", data, "--shots", "2", "--settings", "regular,flipped100,sul", "--seeds", "1",
      "--contexts", "2", "--queries", "4", "--domain-texts", "2", "--score", "both", "--rows", rows, "--json",
    ]
    let first = try MartletCommand.run(arguments + ["--html", scratch.file("page.html")])
    #expect(first.code == 0, "\(first.errors)")
    let object = try json(first)
    #expect((object["cells"] as? [Any])?.count == 3 && object["rows"] as? Int == 24)
    #expect(FileManager.default.fileExists(atPath: scratch.file("page.html")))
    let whole = try #require(FileManager.default.contents(atPath: rows))
    #expect(try MartletCommand.run(arguments).code == 1)
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: rows))
    let again = try MartletCommand.run(arguments + ["--resume"])
    #expect(again.code == 0, "\(again.errors)")
    #expect(FileManager.default.contents(atPath: rows) == whole)
    let summary = try json(try MartletCommand.run(["probe", "summary", rows, "--json"]))
    #expect(
      NSArray(array: summary["cells"] as? [Any] ?? []) == NSArray(array: try json(again)["cells"] as? [Any] ?? []))
  }

  /// A file of something else is no file of rows, and keeps every byte.
  @Test func notesAreNotTakenForRows() throws {
    let scratch = try TestData.Scratch(), notes = scratch.file("notes.txt")
    try Data("what I must not forget\n".utf8).write(to: URL(fileURLWithPath: notes))
    let result = try MartletCommand.run([
      "probe", "icl", "box", "--settings", "linear", "--dimensions", "2", "--shots", "2", "--rows", notes, "--resume",
    ])
    #expect(result.code == 1 && result.errors.contains("it is no row"), "\(result.errors)")
    #expect(FileManager.default.contents(atPath: notes) == Data("what I must not forget\n".utf8))
  }

  @Test func whatDoesNotFitOrExistIsSaid() throws {
    let scratch = try TestData.Scratch(), data = scratch.file("texts.jsonl")
    try writeTexts(data)
    for (arguments, part) in [
      (["--data", data, "--shots", "30"], "lower --shots"), (["--data", data, "--settings", "upside-down"], "none of"),
      (["--data", data, "--labels", "good=Good,fine=Fine"], "no line has the label"),
      (["--data", data, "--template", "{text}"], "is no template"), (["--data", scratch.file("none")], "no such file"),
    ] {
      let result = try MartletCommand.run(["probe", "icl", "box"] + arguments)
      #expect(result.code != 0 && result.errors.contains(part), "\(arguments): \(result.errors)")
    }
  }

  @Test func symbolTuningLeavesAnAdapterAndAReport() throws {
    let scratch = try TestData.Scratch(), data = scratch.file("texts.jsonl"), out = scratch.file("tuned")
    try writeTexts(data)
    let arguments = [
      "probe", "tune", "box", "--data", data, "--out", out, "--examples", "20", "--steps", "4", "--batch", "1",
      "--context", "128", "--most-shots", "3", "--rank", "2", "--measure-every", "2", "--measure-contexts", "2",
      "--report-shots", "2", "--report-seeds", "1", "--cost-tasks", "", "--json",
    ]
    let result = try MartletCommand.run(arguments)
    #expect(result.code == 0, "\(result.errors)")
    for name in [
      "adapter_model.safetensors", "adapter_config.json", "report.html", "icl.html", "icl_rows.jsonl", "run.json",
    ] {
      #expect(FileManager.default.fileExists(atPath: out + "/" + name), "\(name)")
    }
    let report = try json(result)
    #expect(report["best_step"] is Int && !(report["comparisons"] as? [Any] ?? []).isEmpty)
    #expect(try MartletCommand.run(arguments).errors.contains("contains a run already"))
    let other = arguments.map { $0 == "20" ? "30" : $0 } + ["--resume"]
    #expect(try MartletCommand.run(other).errors.contains("--examples 20"))
    #expect(try MartletCommand.run(arguments + ["--resume"]).code == 0)
    #expect(try MartletCommand.run(["probe", "tune", "--resume", out]).code == 0)
  }
}
