import Foundation
import MartletCheckpoints
import MartletModels
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletTraining

/// What a file is, is told by its content; what is wrong with it, by line, column and true cause.
struct DataFileTests {
  private static let line = #"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}"#

  private func read(
    _ bytes: [UInt8], as name: String, context: Int = 64, change: (inout DataReading) -> Void = { _ in }
  ) throws -> TrainingData {
    let scratch = try TestData.Scratch()
    try scratch.write(bytes, to: name)
    var reading = DataReading(tokenizer: ByteTokenizer(), chatFormat: ChatFormat(.plain), context: context)
    change(&reading)
    return try reading.read(scratch.file(name))
  }

  private func problem(_ bytes: [UInt8], as name: String = "d.jsonl") -> String {
    do {
      _ = try read(bytes, as: name)
      return "no error"
    } catch { return "\(error)" }
  }

  /// What counts in the loss, example by example, without the end tokens.
  private func answers(_ data: TrainingData) -> [String] {
    data.examples.map { range in
      String(
        decoding: range.filter { data.counts[$0] && data.tokens[$0] != 0 }.map { UInt8(data.tokens[$0]) }, as: UTF8.self
      )
    }
  }

  private func whole(_ data: TrainingData, _ index: Int = 0) -> String {
    String(decoding: data.examples[index].map { UInt8(data.tokens[$0]) }.filter { $0 != 0 }, as: UTF8.self)
  }

  /// The same two conversations in every container that holds them.
  @Test(arguments: [
    "a.jsonl", "a.JSONL", "a.ndjson", "a.jsonlines", "a.json", "a.txt", "a", "a.data",
  ]) func jsonLinesUnderEveryName(name: String) throws {
    for text in [
      Self.line + "\n" + Self.line + "\n", Self.line + "\r\n\r\n" + Self.line, "[\(Self.line),\(Self.line)]",
      "[\n  \(Self.line),\n  \(Self.line)\n]\n", "\u{feff}" + Self.line + "\n\u{feff}" + Self.line,
      Self.line.replacing(",", with: ",\n") + "\n" + Self.line.replacing(":", with: ":\n  "),
      #"{"version": 1, "data": [\#(Self.line), \#(Self.line)]}"#,
    ] {
      let data = try read(Array(text.utf8), as: name)
      #expect(answers(data) == ["yo", "yo"], "\(name): \(text)")
    }
  }

  private static let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: $0 + "/python3")
  }

  /// Files that Python's own modules write, and tools pack.
  @Test(.enabled(if: hasPython, "python3 is not installed")) func packedAndWideFiles() throws {
    let text = (0..<300).map { #"{"prompt": "number \#($0) é 日本", "completion": "\#($0 * 7)"}"# }.joined(
      separator: "\n")
    let script = """
      import sys, gzip, codecs
      text = open(sys.argv[1], encoding="utf-8").read()
      folder = sys.argv[2]
      for level in (0, 1, 6, 9):
          with gzip.open(f"{folder}/{level}.jsonl.gz", "wb", compresslevel=level) as f: f.write(text.encode())
      open(f"{folder}/members.gz", "wb").write(gzip.compress(text[:777].encode()) + gzip.compress(text[777:].encode()))
      for name, mark in (("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE)):
          open(f"{folder}/{name}.jsonl", "wb").write(mark + text.encode(name))
      open(f"{folder}/no-mark.jsonl", "wb").write("\\n".join('{"prompt": "a%d", "completion": "b"}' % i for i in range(300)).encode("utf-16-le"))
      """
    let scratch = try TestData.Scratch()
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file("text")))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, scratch.file("text"), scratch.path]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let reading = DataReading(tokenizer: ByteTokenizer(), chatFormat: ChatFormat(.plain), context: 64)
    let truth = try reading.read(scratch.file("text"))
    for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path) where name != "text" {
      let data = try reading.read(scratch.file(name))
      #expect(data.examples.count == 300, "\(name)")
      if name != "no-mark.jsonl" { #expect(data.fingerprint == truth.fingerprint, "\(name)") }
      #expect(data.notes.contains { $0.contains("UTF-") } == !name.hasSuffix("gz"), "\(name): \(data.notes)")
    }
    // Cut at any place, or with any byte changed, a packed file is refused and nothing worse.
    let packed = try [UInt8](Data(contentsOf: URL(fileURLWithPath: scratch.file("6.jsonl.gz"))))
    for length in stride(from: 2, to: packed.count, by: 7) {
      #expect(problem(Array(packed[..<length])).contains("gzip"), "\(length)")
    }
    // Behind the header, whose name and date say nothing of the data.
    for place in stride(from: 30, to: packed.count, by: 11) {
      var damaged = packed
      damaged[place] ^= 0x10
      #expect(problem(damaged).contains("gzip"), "\(place)")
    }
  }

  @Test func zstandardByTheSystemsLibrary() throws {
    let process = Process(), scratch = try TestData.Scratch()
    try Data(String(repeating: Self.line + "\n", count: 50).utf8).write(
      to: URL(fileURLWithPath: scratch.file("a.jsonl")))
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["zstd", "-q", scratch.file("a.jsonl")]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      // Without the tool a frame that was made before: one raw block of "text".
      let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0, 0] + Array("hello".utf8)
      let result = problem(frame, as: "a.txt.zst")
      #expect(result == "no error" || result.contains("zstd -d"), "\(result)")
      let cut = problem(Array(frame.dropLast(2)), as: "a.zst")
      #expect(cut.contains("cut off") || cut.contains("zstd -d"), "\(cut)")
      return
    }
    let reading = DataReading(tokenizer: ByteTokenizer(), chatFormat: ChatFormat(.plain), context: 64)
    #expect(try reading.read(scratch.file("a.jsonl.zst")).examples.count == 50)
  }

  @Test func aFileMadeToFillTheMemoryIsRefused() throws {
    // A block of DEFLATE that repeats one zero 258 bytes at a time, by the fixed code: 8 bits for each.
    var bits: [UInt8] = [1, 1, 0]  // the last block, fixed codes
    bits += [0, 0, 1, 1, 0, 0, 0, 1]  // a literal
    for _ in 0..<2_000_000 { bits += [1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0] }
    var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    for start in stride(from: 0, to: bits.count - 7, by: 8) {
      bytes.append((0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) })
    }
    #expect(problem(bytes).contains("unpacks to more than the limit"))
  }

  @Test func binaryFilesAreNamed() {
    for (bytes, words) in [
      (Array("PAR1\u{1}\u{2}".utf8), "Parquet file; convert it to JSON lines first: python3 -c"),
      (Array("ARROW1\0\0".utf8), "Arrow"), (Array("GGUF\u{3}\0\0\0".utf8), "a model (GGUF)"),
      (Array("%PDF-1.7\n".utf8), "pdftotext"), ([0x50, 0x4b, 3, 4, 20, 0, 0, 0], "ZIP archive; unpack it first"),
      (Array("BZh91AY&SY".utf8), "bzip2 -dk"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], "xz -dk"),
      (Array("SQLite format 3\0".utf8), "SQLite"),
      (Array("hello\0world, this is\0 text".utf8), "byte 0x00 in line 1, column 6"),
      ((0..<200).map { UInt8($0 % 25 + 1) }, "control characters"), (Array(" \n\t\n".utf8), "empty"),
    ] as [([UInt8], String)] {
      for name in ["d.jsonl", "d.txt", "d.csv", "d"] {
        #expect(problem(bytes, as: name).contains(words), "\(words) in \(name): \(problem(bytes, as: name))")
      }
    }
  }

  /// Line, column (in characters) and cause.
  @Test func errorsNameThePlace() {
    let good = #"{"text": "ok"}"# + "\n"
    let cases: [(String, String)] = [
      (#"{"text": NaN}"#, "line 2, column 10: NaN is not a value of JSON"),
      (#"{"text": -Infinity}"#, "column 11: Infinity is not a value"),
      (#"{"text": None}"#, "column 10: None is Python;"),
      (#"{"text": True}"#, "True is Python;"), (#"{'text': "a"}"#, "column 2: JSON needs double quotes"),
      (#"{"text": "日本é", }"#, "column 17: there is a comma before"),
      (#"{"text": "a"} // no"#, "column 15: JSON has no comments"),
      (#"{"text": "a"}{"text": "b"}"#, "column 14: there is a second value in the same line"),
      (#"{"text": "a"#, "it may have been cut off"), (#"{"text": "a", "b": [1, 2"#, "cut off"),
      (#"{"text": 5}"#, #"column 2: "text" is a number but must be a text"#),
      (#"{"text": null}"#, #"column 2: "text" is null"#), ("17", "it is a number, not a JSON object"),
      (#"{"messages": {}}"#, "is an object but must be a list of messages"),
      (#"{"messages": [{"role": "user"}]}"#, #"message 1 has no "content""#),
      (
        #"{"messages": [{"role": "user", "content": null}, {"role": "assistant", "content": "x"}]}"#,
        "has null content, which only the assistant may have"
      ),
      (
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null}]}"#,
        "every message of the assistant has null content"
      ),
      (
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0.5}]}"#,
        #"column 87: message 2 has a "weight" of 0.5"#
      ),
      (#"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#, #"the type "image_url"; only text"#),
      (#"{"prompt": "a", "chosen": "b", "rejected": "c"}"#, "a pair of a chosen and a rejected answer"),
      (#"{"prompt": "a"}"#, #"it has a "prompt" but no "completion""#),
      (#"{"prompt": "a", "completion": []}"#, "both must be texts, or both lists of messages"),
      (#"{"instruction": "a", "output": 3}"#, #""output" is a number"#),
      ("{\"text\": \"a\tb\"}", "a string contains a control character"),
    ]
    for (line, words) in cases {
      let found = problem(Array((good + line + "\n").utf8))
      #expect(found.contains("line 2, column "), "\(line): \(found)")
      #expect(found.contains(words), "\(line): \(found)")
    }
    #expect(
      problem(Array(good.utf8) + Array("{\"text\": \"caf".utf8) + [0xe9] + Array("\"}\n".utf8)).contains(
        "line 2, column 14: byte 0xe9 (é in Latin-1) is not UTF-8"))
    #expect(problem(Array("[\(good), {\"text\": 1}, {\"te".utf8)).contains("line 2, column 4"))
    #expect(problem(Array("[\(good.dropLast()),\n{\"text\": \"b\"}".utf8)).contains("the list has no closing ]"))
    #expect(
      problem(Array("text,label\na,1\n\"b,2\n".utf8), as: "d.csv").contains(
        "line 3, column 1: the quotes that open here"))
    #expect(
      problem(Array("prompt,completion\na,b\na,b,c\n".utf8), as: "d.csv").contains(
        "line 3, column 1: it has 3 fields, but the first line has 2"))
    #expect(problem(Array("text,text\na,b\n".utf8), as: "d.csv").contains("two columns are called text"))
    #expect(problem(Array("x,y\na,b\n".utf8), as: "d.csv").contains("the columns (x, y)"))
    #expect(
      problem(Array("text,\"label\na,1\n".utf8), as: "d.csv").contains("line 1, column 6: the quotes that open here"))
  }

  @Test func badLinesAreCountedAndPassedOver() throws {
    let lines = [
      Self.line, "{\"text\": \"cut", #"{"body": "x"}"#, #"{"messages": [{"role": "robot", "content": "x"}]}"#,
      Self.line,
      "{\"text\": NaN}",
    ]
    for text in [lines.joined(separator: "\n"), "[\n" + lines.joined(separator: "\n,") + "\n]"] {
      let data = try read(Array(text.utf8), as: "d.jsonl") { $0.skipsBadLines = true }
      #expect(answers(data).prefix(2) == ["yo", "yo"], "\(text)")
      #expect(
        data.notes.contains { $0.contains("4 records") && $0.contains("line 2") || $0.contains("line 3") },
        "\(data.notes)")
    }
    #expect(throws: TrainingError.self) {
      try read(Array("{\"text\": NaN}\n{\"a\": 1}".utf8), as: "d.jsonl") { $0.skipsBadLines = true }
    }
  }

  @Test func tables() throws {
    let csv = "prompt,completion\r\n\"a, \"\"quoted\"\"\nsecond line\",b\r\n\r\nc,\"d\"\r\n"
    for (text, name) in [
      (csv, "d.csv"), (csv, "d.txt"), (csv, "d.CSV"), ("prompt\tcompletion\nx\tb\ny\td", "d.tsv"),
      ("prompt;completion\nx;b\ny;d", "d.csv"), ("completion,prompt\nb,x\nd,y", "d.csv"),
      ("id,instruction,input,output\n1,do,,b\n2,do,it,d", "d.csv"),
      ("\u{feff}Question,question,answer\nq,x,b\nq,y,d", "d.csv"),
    ] {
      #expect(try answers(read(Array(text.utf8), as: name)) == ["b", "d"], "\(text)")
    }
    #expect(try whole(read(Array(csv.utf8), as: "d.csv")) == "a, \"quoted\"\nsecond lineb")
    let messages = #""[{""role"":""user"",""content"":""hi""},{""role"":""assistant"",""content"":""yo""}]""#
    #expect(try answers(read(Array("id,messages\n1,\(messages)\n".utf8), as: "d.csv")) == ["yo"])
  }

  /// What every form says, by the model's answers and by the whole text.
  @Test func formsThatPeopleHave() throws {
    let cases: [(String, answers: String, whole: String?)] = [
      (#"{"instruction": "say hi", "input": "", "output": "hello"}"#, "hello", "say hihello"),
      (#"{"instruction": "add", "input": "1 2", "output": "3", "system": "S", "history": [["q", "a"]]}"#, "a3", nil),
      (#"{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}"#, "hello", nil),
      (
        #"{"system": "S", "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}"#,
        "hello", nil
      ),
      (#"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]"#, "b", nil),
      (
        #"{"messages": [{"role": "developer", "content": "D"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#,
        "b", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "you"}]}, {"role": "assistant", "content": ["b"]}]}"#,
        "b", "hi\nyoub"
      ),
      (
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bad", "weight": 0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "good", "weight": 1}]}"#,
        "good", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bad", "train": false}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "good"}]}"#,
        "good", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null, "tool_calls": []}, {"role": "assistant", "content": "hello"}]}"#,
        "hello", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": "w"}, {"role": "assistant", "content": "calling"}, {"role": "tool", "content": "22"}, {"role": "assistant", "content": "22 degrees"}]}"#,
        "calling22 degrees", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": "w"}, {"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}]}"#,
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\":1}}\n</tool_call>", nil
      ),
      (
        #"{"messages": [{"role": "user", "content": "w"}, {"role": "assistant", "reasoning_content": "hm", "content": "x"}]}"#,
        "<think>\nhm\n</think>\n\nx", nil
      ),
      (#"{"question": "1+1?", "answer": "2"}"#, "2", nil), (#"{"prompt": "a", "response": "b"}"#, "b", "ab"),
      (#"{"input": "a", "output": "b"}"#, "b", nil),
      (
        #"{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}"#, "b",
        nil
      ),
      (#"{"text": "a\ud83d\ude00b"}"#, "a😀b", nil), (#"{"text": "a \ud83d b"}"#, "a \u{fffd} b", nil),
    ]
    for (line, wanted, text) in cases {
      let data = try read(Array(line.utf8), as: "d.jsonl", context: 400)
      #expect(data.examples.count == 1 && answers(data) == [wanted], "\(line): \(answers(data))")
      if let text { #expect(whole(data) == text, "\(line)") }
    }
    let half = try read(Array(#"{"text": "a \ud83d b"}"#.utf8), as: "d.jsonl")
    #expect(half.notes.contains { $0.contains("half of a surrogate pair") })
    #expect(try read(Array(#"{"text": "a\ud83d\ude00b"}"#.utf8), as: "d.jsonl").notes.isEmpty)
  }

  /// An answer without a word is left out and counted, wherever it stands.
  @Test func emptyAnswersAreNotLearnt() throws {
    let good = #"{"instruction": "a", "output": "b"}"#
    for (text, name, wanted, count) in [
      (good + "\n" + #"{"instruction": "a", "output": ""}"#, "d.jsonl", "b", 1),
      (
        good + "\n" + #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " \n"}]}"#,
        "d.jsonl", "b", 1
      ),
      (
        good + "\n" + #"{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": ""}]}"#, "d.jsonl",
        "b", 1
      ),
      (
        #"{"prompt": "a", "completion": "b"}"# + "\n" + #"{"prompt": "c", "completion": ""}"# + "\n{\"text\": \"\"}",
        "d.jsonl", "b", 2
      ),
      ("prompt,completion\na,b\nc,\nd,\n", "d.csv", "b", 2), ("instruction,output\na,b\nc,\"\"\n", "d.csv", "b", 1),
    ] {
      let data = try read(Array(text.utf8), as: name)
      #expect(answers(data) == [wanted], "\(text): \(answers(data))")
      let records =
        count == 1 ? "1 record skipped: nothing to train on" : "\(count) records skipped: nothing to train on"
      #expect(data.notes.contains { $0.contains(records) }, "\(text): \(data.notes)")
      #expect(!data.notes.contains { $0.contains("turns of the assistant") }, "\(text): \(data.notes)")
    }
    for line in [
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "b"}]}"#,
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "assistant", "content": [{"type": "text", "text": ""}]}]}"#,
      #"{"instruction": "c", "output": "b", "history": [["a", ""]]}"#,
      #"{"instruction": "c", "output": "", "history": [["a", "b"]]}"#,
    ] {
      let data = try read(Array(line.utf8), as: "d.jsonl")
      #expect(answers(data) == ["b"], "\(line): \(answers(data))")
      #expect(
        data.notes.contains { $0.contains("in 1 record empty turns of the assistant") }, "\(data.notes)")
    }
    // A prompt that is to be learnt is something to learn.
    let prompts = try read(Array(#"{"prompt": "a", "completion": ""}"#.utf8), as: "d.jsonl") {
      $0.trainsOnPrompt = true
    }
    #expect(answers(prompts) == ["a"])
    #expect(throws: TrainingError.self) { try read(Array(#"{"instruction": "a", "output": ""}"#.utf8), as: "d.jsonl") }
  }

  /// Every token of a text is predicted once, its end token too, whatever the context.
  @Test func noTokenOfATextIsLost() throws {
    let text = (0..<173).map { "w\($0) " }.joined()
    for context in [7, 16, 100, 400, 689, 690, 691, 2000] {
      for (bytes, name) in [(Array(text.utf8), "a.txt"), (Array("{\"text\": \"\(text)\"}".utf8), "a.jsonl")] {
        let data = try read(bytes, as: name, context: context)
        #expect(data.predictedTokens == text.utf8.count, "\(context) \(name)")
        #expect(data.examples.last.map { data.tokens[$0.upperBound - 1] } == 0)
        #expect(data.examples.allSatisfy { (2...context + 1).contains($0.count) })
      }
    }
  }

  @Test func whatDoesNotFitIsSaid() throws {
    let long = String(repeating: "x", count: 50)
    let line = #"{"prompt": "\#(long)", "completion": "yes"}"#
    let found = problem(Array((line + "\n" + line).utf8))
    #expect(found == "no error")
    do {
      _ = try read(Array(line.utf8), as: "d.jsonl", context: 40)
      Issue.record("it was read")
    } catch {
      #expect("\(error)".contains("fills the context of 40 tokens") && "\(error)".contains("raise --context to 53"))
    }
    let both = try read(
      Array((line + "\n{\"prompt\": \"p\", \"completion\": \"\(long)\"}").utf8), as: "d.jsonl", context: 40)
    #expect(
      both.notes.contains { $0.contains("54 tokens left out: in 1 examples the prompt alone fills") }, "\(both.notes)")
    #expect(
      both.notes.contains { $0.contains("11 tokens left out (11 of them count)") && $0.contains("--context 53") },
      "\(both.notes)")
    // The cure is right.
    let cured = try read(Array(line.utf8), as: "d.jsonl", context: 53)
    #expect(cured.notes.isEmpty && answers(cured) == ["yes"])
  }

  @Test func stemsAndFolders() throws {
    let scratch = try TestData.Scratch()
    try IndexedTokens.write([[10, 11, 0]], to: "d", in: scratch)
    let reading = DataReading(tokenizer: ByteTokenizer(), chatFormat: ChatFormat(.plain), context: 64)
    for name in ["d", "d.bin", "d.idx"] { #expect(try reading.read(scratch.file(name)).tokens == [10, 11, 0]) }
    // A folder as mlx-lm wants it.
    let folder = scratch.file("folder")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["train.jsonl", "valid.jsonl", "test.jsonl"] {
      try Data((Self.line + "\n").utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    let data = try reading.read(folder)
    #expect(data.examples.count == 1 && data.notes.contains { $0.contains("2 others (test.jsonl, valid.jsonl)") })
  }

  /// No file, however damaged, does worse than be refused.
  @Test func damagedFilesAreRefusedOrRead() throws {
    var random = TestRandom(seed: 5)
    let seeds = [
      Self.line + "\n" + Self.line, "[\(Self.line),\n\(Self.line)]", "prompt,completion\n\"a\",b\nc,\"d\ne\"\n",
      #"{"conversations": [{"from": "human", "value": "\ud83d\ude00"}, {"from": "gpt", "value": "x"}]}"#,
      #"{"data": [\#(Self.line)], "tools": "[]"}"#,
    ].map { Array($0.utf8) }
    for round in 0..<600 {
      var bytes = seeds[round % seeds.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2: bytes[place] = Array("{}[]\",:\\\n\u{0}".utf8).randomElement(using: &random) ?? 0
        case 3: bytes = Array(bytes[..<place])
        default: bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
      }
      for name in ["d.jsonl", "d.txt", "d.csv"] {
        _ = try? read(bytes, as: name) { $0.skipsBadLines = round % 2 == 0 }
      }
    }
  }
}
