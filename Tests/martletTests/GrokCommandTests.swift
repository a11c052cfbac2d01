import Foundation
import MartletTestSupport
import Testing

/// `martlet grok`: runs, and sweeps of them.
struct GrokCommandTests {
  @Test func grokkingReports() throws {
    let scratch = try TestData.Scratch()
    let folder = scratch.file("g")
    let arguments = [
      "grok", "--modulus", "13", "--width", "32", "--steps", "50", "--interval", "10", "--out", folder, "--json",
    ]
    let result = try MartletCommand.run(arguments)
    #expect(result.code == 0, "\(result.errors)")
    let metrics = try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
    #expect(metrics.filter { $0.contains("test_accuracy") }.count == 6)
    #expect(FileManager.default.fileExists(atPath: folder + "/report.html"))
    let again = try MartletCommand.run(arguments)
    #expect(again.code == 1 && again.errors.contains("contains a run already; resume it with --resume \(folder)"))
    // A command line that is repeated has to be the same, but for where it ends.
    let other = try MartletCommand.run(["grok", "--width", "32", "--steps", "60", "--out", folder, "--resume"])
    #expect(other.code == 1 && other.errors.contains("started with --interval 10"), "\(other.errors)")
    let same = try MartletCommand.run(arguments.map { $0 == "50" ? "60" : $0 } + ["--resume"])
    #expect(same.code == 0 && same.text.contains(#""steps":60"#), "\(same.errors)")
    // The run knows its own options, but no longer how to be shorter.
    #expect(
      try MartletCommand.run(["grok", "--resume", folder, "--steps", "70", "--json"]).text.contains(#""steps":70"#))
    let short = try MartletCommand.run(["grok", "--out", folder, "--resume", "--steps", "20"])
    #expect(short.code == 1 && short.errors.contains("has made 70 steps already"), "\(short.errors)")
    let train = try MartletCommand.run(["train", "--resume", folder])
    #expect(train.code == 1 && train.errors.contains("martlet grok --resume"), "\(train.errors)")
  }

  @Test func grokkingOfEarlierVersionsIsNamed() throws {
    let scratch = try TestData.Scratch()
    try Data("{}".utf8).write(to: URL(fileURLWithPath: scratch.file("state.json")))
    for arguments in [["--out", scratch.file("")], ["--resume", scratch.file("")]] {
      let result = try MartletCommand.run(["grok"] + arguments)
      #expect(result.code == 1 && result.errors.contains("earlier version of martlet grok"), "\(result.errors)")
    }
  }

  @Test func grokkingSweeps() throws {
    let scratch = try TestData.Scratch()
    let folder = scratch.file("s")
    let arguments = [
      "grok", "--sweep", "--modulus", "7", "--width", "16", "--steps", "20", "--interval", "10", "--seeds", "2",
      "--lrs", "0.01", "--decays", "0,1", "--variants", "grokfast", "--json", "--out", folder,
    ]
    let result = try MartletCommand.run(arguments)
    #expect(result.code == 0, "\(result.errors)")
    let numbers = try #require(try TestData.json(folder + "/results.json") as? [String: Any])
    let names = try #require(numbers["configurations"] as? [[String: Any]]).compactMap { $0["name"] as? String }
    #expect(names.prefix(3) == ["adamw-lr-0.001-decay-1", "adamw-lr-0.01-decay-0", "adamw-lr-0.01-decay-1"])
    #expect(names.contains("grokfast-lr-0.001-decay-1"))
    #expect(try String(contentsOfFile: folder + "/report.html", encoding: .utf8).contains("What may be concluded"))
    let lines = result.text.split(separator: "\n")
    #expect(lines.filter { $0.contains(#""event":"run""#) }.count == names.count * 2)
    // What is finished is kept; the run knows that it prints JSON.
    let again = try MartletCommand.run(["grok", "--resume", folder])
    #expect(again.code == 0 && again.text.contains("report.html"), "\(again.errors)")
    #expect(again.text.contains(#""event":"kept""#) && !again.text.contains(#""event":"run""#))
    // A single run of it is a run as any other.
    let one = try MartletCommand.run([
      "grok", "--resume", folder + "/runs/adamw-lr-0.01-decay-0-seed-2", "--steps", "30", "--json",
    ])
    #expect(one.code == 0 && one.text.contains(#""steps":30"#), "\(one.errors)")
    for (wrong, reason) in [
      (["--seeds", "2"], "add --sweep"), (["--sweep", "--orthogonal"], "--variants"),
      (["--sweep", "--lrs", "1,x"], #""x""#), (["--sweep", "--variants", "adam"], "grokfast, stablemax"),
      (["--sweep", "--threads", "2", "--jobs", "2"], "--jobs 1"), (["--sweep", "--decays", "-1"], "--weight-decays"),
    ] {
      let refused = try MartletCommand.run(["grok", "--out", scratch.file("w")] + wrong)
      #expect(refused.code == 64 && refused.errors.contains(reason), "\(wrong): \(refused.errors)")
    }
  }
}
