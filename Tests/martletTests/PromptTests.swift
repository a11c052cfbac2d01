import Foundation
import MartletTestSupport
import Testing

/// Where a command's text comes from, and what is a model: arguments, options, files, standard input.
struct PromptTests {
  private let common = ["--temp", "0", "-n", "4", "--json"]

  private func text(_ result: MartletCommand.Result) throws -> String {
    #expect(result.code == 0, "\(result.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
    return try #require(object?["text"] as? String)
  }

  /// All ways to give a text are the same text.
  @Test func aTextComesInManyWays() throws {
    let scratch = try TestData.Scratch()
    try Data("ROMEO: But soft\n".utf8).write(to: URL(fileURLWithPath: scratch.file("p")))
    try Data([0xef, 0xbb, 0xbf] + Array("ROMEO: But soft\r\n".utf8)).write(to: URL(fileURLWithPath: scratch.file("w")))
    let words = "ROMEO: But soft", piped = Array("ROMEO: But soft\n".utf8)
    let wanted = try text(MartletCommand.run(["generate", "box", words] + common))
    for (arguments, input) in [
      (["generate", words], []), (["generate", "-p", words], []), (["generate", "box", "-p", words], []),
      (["generate", "-m", "box", "-p", words], []), (["generate", words, "-m", "box"], []),
      (["generate", "--model=box", words], []),
      (["generate", "--prompt", words, "--model", "box"], []), (["generate", "box"], piped), (["generate"], piped),
      (["generate", "-"], piped), (["generate", "box", "-"], piped), (["generate", "-f", scratch.file("p")], []),
      (["generate", "box", "--file", scratch.file("w")], []), (["generate", "box", "-f", "-"], piped),
      (["generate", "box", "--", words], []), (["generate", words, "--n-predict", "4", "--threads", "1"], []),
      (["generate", words, "-t", "1", "-c", "512", "-s", "3"], []), (["generate", words, "-s", "-1"], []),
    ] as [([String], [UInt8])] {
      #expect(
        try text(MartletCommand.run([arguments[0]] + common + arguments.dropFirst(), input: input)) == wanted,
        "\(arguments)")
    }
    // Only one line break is left out.
    #expect(try text(MartletCommand.run(["generate", "box"] + common, input: piped + [10])) != "")
  }

  @Test func aMistypedModelIsNoPrompt() throws {
    let scratch = try TestData.Scratch()
    try FileManager.default.createDirectory(atPath: scratch.file("models"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: TestData.fixtures + "/rwkv-5.2.pth", toPath: scratch.file("models/Small-Model-135M.pth"))
    let home = ["MARTLET_HOME": scratch.path]
    for (arguments, input) in [
      (["Smal-Model-135M"], ""), (["small-model"], ""), (["small-model-135m"], ""), (["Smal-Model-135M", "Once"], ""),
      (["Smal-Model-135M", "-p", "Once"], ""), (["-m", "Smal-Model-135M", "Once"], ""),
      (["-m", "Smal-Model-135M"], "Once"),
      (["Smal-Model-135M"], "Once"),
    ] {
      let result = try MartletCommand.run(["generate"] + arguments, input: Array(input.utf8), environment: home)
      #expect(result.code == 1 && result.output.isEmpty, "\(arguments): \(result.text)")
      #expect(result.errors.contains("did you mean Small-Model-135M?"), "\(arguments): \(result.errors)")
    }
    for (arguments, input) in [
      (["llama3"], "Once"), (["any thing"], "Once"), (["./llama"], ""), (["llama.gguf"], ""), (["org/llama"], ""),
      ([""], ""),
      (["llama3", "Once"], ""), (["llama3", "-"], "Once"), (["llama3", "-f", "-"], "Once"),
    ] {
      let result = try MartletCommand.run(["generate"] + arguments, input: Array(input.utf8), environment: home)
      #expect(
        result.code == 1 && result.output.isEmpty && result.errors.contains("model"), "\(arguments): \(result.errors)")
    }
    // Where nothing says otherwise one argument is the text.
    for words in ["llama3", "Once upon", "ROMEO:"] {
      #expect(try MartletCommand.run(["generate", words, "-n", "2"], environment: home).code == 0)
    }
  }

  @Test func emptyTextsAreRefused() throws {
    for (arguments, input) in [
      (["generate", "box"], ""), (["generate"], "\n"), (["generate", "box", "-"], "\u{feff}\n"),
      (["generate", "box", "--chat"], " \n "),
      (["skeleton", "ask", "-m", "box"], " \n"), (["skeleton", "route", "-"], ""),
      (["edit", "explain", "box", "-"], "\n"),
    ] {
      let result = try MartletCommand.run(arguments, input: Array(input.utf8))
      #expect(result.code == 64 && result.errors.contains("empty"), "\(arguments): \(result.code) \(result.errors)")
    }
    let scratch = try TestData.Scratch()
    for content in ["", "\n\n", " \n"] {
      try Data(content.utf8).write(to: URL(fileURLWithPath: scratch.file("e.jsonl")))
      for arguments in [
        ["edit", "add", "box", "--edits", scratch.file("s"), "--stream", scratch.file("e.jsonl")],
        ["edit", "import", "box", scratch.file("e.jsonl"), "--edits", scratch.file("s")],
        ["edit", "bench", "box", scratch.file("e.jsonl")], ["skeleton", "bench", scratch.file("e.jsonl"), "-m", "box"],
        ["skeleton", "train-router", scratch.file("e.jsonl"), "--out", scratch.file("r")],
        ["train", "--data", scratch.file("e.jsonl"), "--out", scratch.file("t")],
      ] {
        let result = try MartletCommand.run(arguments)
        #expect(result.code == 1, "\(arguments): \(result.code) \(result.errors) \(result.text)")
      }
    }
  }

  @Test func whatIsNotUTF8IsRefused() throws {
    let broken: [UInt8] = [0x61, 0xff, 0x0a]
    for arguments in [
      ["generate", "box"], ["generate", "-"], ["generate", "box", "-f", "-"], ["skeleton", "ask", "-m", "box"],
      ["skeleton", "route"], ["edit", "explain", "box", "-"], ["chat", "box"],
    ] {
      let result = try MartletCommand.run(arguments, input: broken)
      #expect(result.code == 1 && result.errors.contains("not UTF-8"), "\(arguments): \(result.code) \(result.errors)")
    }
    // The lines around a broken one are answered.
    let chat = try MartletCommand.run(
      ["chat", "box", "-n", "2", "--json"], input: Array("hi\n".utf8) + broken + Array("ho\n".utf8))
    #expect(chat.code == 1 && chat.text.split(separator: "\n").count == 3 && chat.text.contains("line 2"))
    // An argument that is not UTF-8 cannot be given by Foundation.
    let shell = Process(), pipe = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "\(MartletCommand.executable) generate \"$(printf 'a\\377b')\""]
    shell.standardError = pipe
    try shell.run()
    let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 64 && errors.contains("argument 2 is not UTF-8"))
  }

  @Test func homesAreRespected() throws {
    let scratch = try TestData.Scratch()
    for name in ["a/.martlet", "b", "c/x"] {
      try FileManager.default.createDirectory(atPath: scratch.file(name + "/models"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: TestData.fixtures + "/rwkv-5.2.pth", toPath: scratch.file("\(name)/models/in-\(name.prefix(1)).pth"))
    }
    for (home, martletHome, wanted) in [
      ("a", "", "in-a"), ("a", "b", "in-b"), ("c", "~/x", "in-c"), ("a", "b/", "in-b"),
    ] {
      let environment = [
        "HOME": scratch.file(home),
        "MARTLET_HOME": martletHome.hasPrefix("~") || martletHome.isEmpty ? martletHome : scratch.file(martletHome),
      ]
      let list = try MartletCommand.run(["models", "list"], environment: environment)
      #expect(list.code == 0 && list.text.hasPrefix(wanted), "\(home) \(martletHome): \(list.text)")
    }
    // What a chat keeps goes there as well.
    let environment = ["HOME": scratch.file("a"), "MARTLET_HOME": ""]
    #expect(
      try MartletCommand.run(["chat", "box", "-n", "2"], input: Array("hi\n".utf8), environment: environment).code == 0)
    let kept = try TestData.json(scratch.file("a/.martlet/chat/last.json")) as? [String: Any]
    #expect((kept?["messages"] as? [Any])?.count == 2)
    #expect(
      try MartletCommand.run(
        ["chat", "box", "--continue", "-n", "2"], input: Array("/history\n".utf8), environment: environment
      )
      .text.contains("1. user: hi"))
  }

  @Test func aContextThatIsSetHolds() throws {
    let long = try MartletCommand.run(["generate", "box", String(repeating: "x", count: 40), "-c", "32"])
    #expect(long.code == 1 && long.errors.contains("the context ends at 32"))
    let result = try MartletCommand.run(["generate", "box", "0123456789", "-c", "32", "-n", "-1", "--json"])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    #expect(object["completion_tokens"] as? Int == 22 && object["reason"] as? String == "length")
  }
}
