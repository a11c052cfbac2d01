import Foundation
import MartletTestSupport
import Testing

/// Every command against every kind of call: help, version, unknown options, missing files, JSON.
struct CommandTableTests {
  private struct Leaf {
    let path: [String]
    let options: Set<String>
    let help: String
  }

  /// All commands that do something, as the program itself tells them.
  private static func leaves() throws -> [Leaf] {
    let dump = try MartletCommand.run(["--experimental-dump-help"])
    let root = try #require(try JSONSerialization.jsonObject(with: Data(dump.output)) as? [String: Any])
    func walk(_ command: [String: Any], _ path: [String]) -> [Leaf] {
      let below = (command["subcommands"] as? [[String: Any]] ?? []).filter { $0["commandName"] as? String != "help" }
      if !below.isEmpty {
        return below.flatMap { walk($0, path + [$0["commandName"] as? String ?? "?"]) }
      }
      let names = (command["arguments"] as? [[String: Any]] ?? []).flatMap { $0["names"] as? [[String: Any]] ?? [] }
      return [
        Leaf(
          path: path, options: Set(names.compactMap { $0["name"] as? String }),
          help: command["discussion"] as? String ?? "")
      ]
    }
    return walk(try #require(root["command"] as? [String: Any]), [])
  }

  /// An error for programs: one JSON object on standard error.
  private func jsonError(_ result: MartletCommand.Result) throws -> String {
    let line = result.errors.split(separator: "\n").last.map(String.init) ?? ""
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(result.errors)")
    #expect(object["exit_code"] as? Int == Int(result.code))
    return try #require(object["error"] as? String)
  }

  @Test func everyCommandKnowsHelpVersionAndWhatItDoesNotKnow() throws {
    let leaves = try Self.leaves()
    #expect(leaves.count >= 30)
    for leaf in leaves {
      let name = leaf.path.joined(separator: " ")
      let help = try MartletCommand.run(leaf.path + ["--help"])
      #expect(help.code == 0 && help.text.contains("USAGE: martlet \(name)") && help.errors.isEmpty, "\(name)")
      #expect(help.text.contains("Example"), "\(name) shows no example")
      let version = try MartletCommand.run(leaf.path + ["--version"])
      #expect(version.code == 0 && version.text == "0.1.0\n", "\(name): \(version.text)")
      let unknown = try MartletCommand.run(leaf.path + ["--no-such-thing"])
      #expect(unknown.code == 64 && unknown.errors.contains("--no-such-thing"), "\(name): \(unknown.errors)")
      #expect(unknown.output.isEmpty, "\(name)")
      // A man page is what it is.
      if leaf.path == ["manual"] { continue }
      #expect(leaf.options.contains("json"), "\(name) has no --json")
      let mistyped = try MartletCommand.run(leaf.path + ["--jsn"])
      #expect(mistyped.code == 64 && mistyped.errors.contains("--json"), "\(name): \(mistyped.errors)")
      let asJSON = try MartletCommand.run(leaf.path + ["--no-such-thing", "--json"])
      #expect(asJSON.code == 64 && asJSON.output.isEmpty)
      #expect(try jsonError(asJSON).contains("--no-such-thing"), "\(name)")
    }
  }

  @Test(arguments: [
    ["generate", "/nowhere/m.gguf", "hi"], ["generate", "box", "--file", "/nowhere/t"],
    ["generate", "box", "hi", "--load-state", "/nowhere/s"], ["generate", "box", "hi", "--state", "/nowhere/s"],
    ["generate", "box", "hi", "--adapter", "/nowhere/a"], ["generate", "box", "hi", "--tokenizer", "/nowhere/t.json"],
    ["chat", "/nowhere/m.gguf"], ["chat", "box", "--continue"],
    ["logits", "/nowhere/m.gguf", "--tokens", "1", "--out", "o"],
    ["bench", "/nowhere/m.gguf"], ["convert", "/nowhere/m.gguf", "/nowhere/o.gguf"],
    ["merge", "/nowhere/m.gguf", "/nowhere/a", "/nowhere/o.gguf"],
    ["finetune", "/nowhere/m.gguf", "--data", "/nowhere/d", "--out", "/nowhere/o"],
    ["train", "--data", "/nowhere/d.txt", "--out", "/nowhere/o"], ["tokenize", "--tokenizer", "/nowhere/t.json", "hi"],
    ["models", "inspect", "/nowhere/m.gguf"], ["models", "show", "/nowhere/m.gguf"],
    ["models", "cp", "/nowhere/m.gguf", "x"],
    ["edit", "list", "/nowhere/m.gguf"],
    ["edit", "show", "/nowhere/m.gguf", "1"],
    ["edit", "add", "/nowhere/m.gguf", "--prompt", "a", "--answer", "b"], ["edit", "explain", "/nowhere/m.gguf", "q"],
    ["edit", "undo", "/nowhere/m.gguf", "1"], ["edit", "test", "/nowhere/m.gguf"],
    ["edit", "calibrate", "/nowhere/m.gguf"],
    ["edit", "export", "/nowhere/m.gguf"], ["edit", "import", "/nowhere/m.gguf", "/nowhere/e.jsonl"],
    ["edit", "import", "box", "/nowhere/e.jsonl"], ["edit", "add", "box", "--stream", "/nowhere/e.jsonl"],
    ["edit", "bench", "/nowhere/m.gguf", "/nowhere/d.jsonl"], ["edit", "scale", "/nowhere/m.gguf"],
    ["edit", "experiment", "label-shift", "/nowhere/m.gguf", "--data", "/nowhere"],
    ["edit", "experiment", "hallucination", "/nowhere/m.gguf", "--data", "/nowhere"],
    ["skeleton", "ask", "why?", "--model", "/nowhere/m.gguf"], ["skeleton", "bench", "/nowhere/q.jsonl", "-m", "box"],
    ["skeleton", "route", "why?", "--router", "/nowhere/r"], ["skeleton", "train-router", "/nowhere/q.jsonl"],
  ])
  func aMissingFileIsNamed(arguments: [String]) throws {
    let plain = try MartletCommand.run(arguments)
    #expect(plain.code == 1 && plain.output.isEmpty, "\(arguments): \(plain.code) \(plain.text)")
    #expect(
      plain.errors.hasPrefix("Error: ")
        && plain.errors.contains(arguments.contains("--continue") ? "last.json" : "/nowhere"))
    #expect(plain.errors.split(separator: "\n").count == 1, "\(arguments): \(plain.errors)")
    let json = try MartletCommand.run(arguments + ["--json"])
    #expect(json.code == 1 && json.output.isEmpty, "\(arguments)")
    #expect(try !jsonError(json).isEmpty)
  }

  /// Values that no command can work with are refused before anything is read, as misunderstood commands are.
  @Test(arguments: [
    ["generate", "box", "x", "--temperature", "-1"], ["generate", "box", "x", "--temp", "nan"],
    ["generate", "box", "x", "--top-p", "2"], ["generate", "box", "x", "--top-p", "0"],
    ["generate", "box", "x", "--top-k", "-1"],
    ["generate", "box", "x", "--min-p", "1.5"], ["generate", "box", "x", "--typical", "0"],
    ["generate", "box", "x", "--repeat-penalty", "0"], ["generate", "box", "x", "--presence-penalty", "inf"],
    ["generate", "box", "x", "--penalty-decay", "2"], ["generate", "box", "x", "--logit-bias", "x"],
    ["generate", "box", "x", "--logit-bias", "1=nan"], ["generate", "box", "x", "--logit-bias", "999999=1"],
    ["generate", "box", "x", "--seed", "-2"], ["generate", "box", "x", "--seed", "1.5"],
    ["generate", "box", "x", "-n", "0"],
    ["generate", "box", "x", "-n", "-7"], ["generate", "box", "x", "-n", "99999999999999999999"],
    ["generate", "box", "x", "-c", "3"], ["generate", "box", "x", "-c", "-3"], ["generate", "box", "x", "-t", "0"],
    ["generate", "box", "x", "-t", "-4"], ["generate", "box", "x", "--stop", ""], ["generate", "box", ""],
    ["generate", "box", " ", "--chat"], ["generate", "box", "x", "-p", "y"], ["generate", "box", "x", "-f", "y"],
    ["generate", "-m", "box", "-m", "box", "x"], ["generate", "box", "x", "--group-norm-epsilon", "0"],
    ["chat", "box", "--prompt", " "], ["chat", "box", "--top-p", "7"], ["chat", "box", "-n", "0"],
    ["logits", "box", "--tokens", "1,,2", "--out", "o"], ["logits", "box", "--tokens", "-1", "--out", "o"],
    ["logits", "box", "--tokens", "", "--out", "o"], ["logits", "box", "--tokens", "1e3", "--out", "o"],
    ["bench", "box", "--decode", "0"], ["bench", "box", "--batch", "1,x"], ["bench", "box", "--batch", ""],
    ["bench", "box", "--batch", "1,,2"], ["bench", "box", "--prefill", "-1"],
    ["bench", "box", "--repeats", "99999999999"],
    ["train", "--data", "x", "--out", "y", "--rwkv-version", "4"],
    ["train", "--data", "x", "--out", "y", "--batch", "0"],
    ["train", "--data", "x", "--out", "y", "--lr", "nan"],
    ["train", "--data", "x", "--out", "y", "--version", "5.2", "--bogus"],
    ["grok", "--out", "y", "--lr", "nan"], ["grok", "--out", "y", "--layers", "3"],
    ["grok", "--out", "y", "--until", "inf"],
    ["edit", "bench", "box", "d", "--limit", "-1"], ["edit", "bench", "box", "d", "--skip", "-1"],
    ["edit", "bench", "box", "d", "--unrelated-skip", "-5"], ["edit", "bench", "box", "d", "--radius", "nan"],
    ["edit", "experiment", "hallucination", "box", "--data", "d", "--limit", "-1"],
    ["edit", "scale", "box", "--count", "5"],
    ["edit", "calibrate", "box", "--share", "nan"], ["edit", "explain", "box", ""], ["edit", "explain", "box", "  "],
    ["skeleton", "ask", "", "-m", "box"], ["skeleton", "ask", " \n", "-m", "box"], ["skeleton", "route", ""],
    ["skeleton", "bench", "q", "--limit", "-1"], ["skeleton", "ask", "x", "-m", "box", "--max-points", "0"],
    ["skeleton", "train-router", "q", "--steps", "0"], ["host", "--watch", "0"], ["serve", "box", "--port", "70000"],
    ["serve", "box", "--temperature", "-1"], ["serve", "box", "--top-p", "nan"], ["tokenize"],
    ["tokenize", "hi", "--stdin"], ["tokenize", "hi", "--lines"], ["tokenize", "--lines", "--speed"],
    ["tokenize", "5", "--decode", "--speed"], ["tokenize", "5", "--decode", "--plain"],
  ])
  func valuesOutOfRangeAreMisunderstood(arguments: [String]) throws {
    let result = try MartletCommand.run(arguments)
    #expect(result.code == 64 && result.output.isEmpty, "\(arguments): \(result.code) \(result.errors) \(result.text)")
    #expect(result.errors.hasPrefix("Error: "), "\(arguments): \(result.errors)")
  }

  @Test(arguments: [
    (["-n", "0"], "'0' is invalid for '-n <max-tokens>': give a whole number of at least 1, or -1 for no limit"),
    (
      ["--seed", "-2"], "'-2' is invalid for '--seed <seed>': give a whole number from 0 to 18446744073709551615, or -1"
    ),
  ]) func aWrongNumberIsAnsweredWithTheRule(option: [String], words: String) throws {
    let result = try MartletCommand.run(["generate", "box", "x"] + option)
    #expect(result.code == 64 && result.errors.contains(words), "\(result.errors)")
  }

  /// A folder may be somebody's model.
  @Test(arguments: [
    ("train", "model.safetensors"), ("train", "config.json"), ("train", "tokenizer.json"), ("train", "metrics.jsonl"),
    ("finetune", "adapter_config.json"), ("finetune --full", "generation_config.json"),
    ("finetune --full", "tokenizer.json"), ("finetune --method state", "state.pth"),
  ]) func aRunReplacesNothing(command: String, name: String) throws {
    let scratch = try TestData.Scratch()
    try scratch.write(Array("once upon a time\n".utf8), to: "d.txt")
    try FileManager.default.createDirectory(atPath: scratch.file("out"), withIntermediateDirectories: true)
    try scratch.write(Array("mine".utf8), to: "out/" + name)
    var words = command.split(separator: " ").map(String.init)
    if words[0] == "finetune" { words.insert("box", at: 1) }
    let result = try MartletCommand.run(words + ["--data", scratch.file("d.txt"), "--out", scratch.file("out")])
    #expect(result.code == 1 && result.errors.contains("out/\(name) exists already"), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("out")) == [name])
    #expect(FileManager.default.contents(atPath: scratch.file("out/" + name)) == Data("mine".utf8))
  }

  @Test func unknownCommandsAreAnsweredWithTheNearest() throws {
    for (words, hint) in [
      ("generat x", "`martlet generate`"), ("GENERATE", "`martlet generate`"), ("caht", "`martlet chat`"),
      ("run model", "`martlet chat`"), ("pull a/b", "`martlet models pull`"), ("ls", "`martlet models list`"),
      ("models inspec x", "`martlet models inspect`"), ("edit lst", "`martlet edit list`"),
      ("skeleton aks", "`martlet skeleton ask`"),
      ("edit experiment halucination", "`martlet edit experiment hallucination`"),
      ("models shwo box", "`martlet models inspect`"), ("models lits", "`martlet models list`"),
      ("edit shwo", "`martlet edit show`"), ("skeleton rout", "`martlet skeleton route`"),
      ("shwo", "`martlet models inspect`"), ("undo", "`martlet edit undo`"), ("models serve", "`martlet serve`"),
      ("edit calibrat", "`martlet edit calibrate`"), ("edit experiment ad", "`martlet edit add`"),
      ("help modles", "`martlet models`"), ("help models shwo", "`martlet models inspect`"),
      ("zebra", "`martlet --help`"), ("edit zebra", "`martlet edit --help`"),
    ] {
      let result = try MartletCommand.run(words.split(separator: " ").map(String.init))
      #expect(result.code == 64 && result.errors.contains(hint), "\(words): \(result.errors)")
      #expect(result.errors.contains("there is no command"))
    }
    for words in ["help", "help models", "help models inspect", "help edit experiment", "help generate"] {
      #expect(try MartletCommand.run(words.split(separator: " ").map(String.init)).code == 0, "\(words)")
    }
    for (words, hint) in [
      ("generate box x --temprature 1", "--temperature"),
      ("generate box x -ngl 99", "Hint: `--device auto` runs the model on a graphics card"),
      ("generate box x --n-gpu-layers=99", "Hint: `--device"), ("chat box -cnv", "Hint: `martlet chat`"),
      ("serve box -np 4", "--sequences"), ("train --data x --out y --version 5.1", "--rwkv-version"),
    ] {
      let result = try MartletCommand.run(words.split(separator: " ").map(String.init))
      #expect(result.code == 64 && result.errors.contains(hint), "\(words): \(result.errors)")
    }
  }
}
