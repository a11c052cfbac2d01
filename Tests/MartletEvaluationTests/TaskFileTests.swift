import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletEvaluation

/// Files of tasks: what they may say, and what is said about wrong ones.
struct TaskFileTests {
  private let scratch: TestData.Scratch

  init() throws { scratch = try TestData.Scratch() }

  /// A task in fifteen lines, with some of them replaced.
  private func file(_ changes: [String: String] = [:], without removed: String? = nil) throws -> String {
    let members = [
      ("name", #""animals""#), ("about", #""What animals eat.""#),
      ("data", #"{"files": ["animals.jsonl"], "origin": "the zoo", "licence": "CC0"}"#),
      ("form", #""choices""#), ("context", #""Q: {{question}}\nA:""#), ("choices", #""{{options}}""#),
      ("target", #""{{answer}}""#), ("metrics", #"["acc", "acc_norm"]"#),
    ]
    var lines = members.compactMap { $0.0 == removed ? nil : "  \"\($0.0)\": \(changes[$0.0] ?? $0.1)" }
    for (key, value) in changes where !members.contains(where: { $0.0 == key }) {
      lines.append("  \"\(key)\": \(value)")
    }
    let path = scratch.file("animals.json")
    try scratch.write(Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8), to: "animals.json")
    return path
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch { return "\(error)" }
  }

  private func rows(_ data: String, _ changes: [String: String] = [:], shots: Int? = nil) throws -> [EvaluationRow] {
    try scratch.write(Array(data.utf8), to: "animals.jsonl")
    let task = try #require(try EvaluationTask.read(file(changes)).first)
    return try task.rows(in: scratch.path, presentation: RowPresentation(shots: shots))
  }

  @Test func aTaskOfOnesOwn() throws {
    let rows = try rows(
      """
      {"question": "What do cows eat?", "options": ["grass", "stones"], "answer": 0}

      {"question": "What do cats eat?", "options": ["wood", "mice"], "answer": "mice"}
      """)
    #expect(rows.map(\.number) == [0, 1] && rows.map(\.gold) == [0, 1])
    #expect(rows[1].place.hasSuffix("animals.jsonl, line 3"))
    #expect(
      rows[1].requests == [
        ContinuationRequest(context: "Q: What do cats eat?\nA:", continuation: " wood"),
        ContinuationRequest(context: "Q: What do cats eat?\nA:", continuation: " mice"),
      ])
  }

  @Test func membersOfAGroup() throws {
    let changes = [
      "name": #""{{animal}}_{{size}}""#, "groups": #"["{{animal}}", "zoo"]"#,
      "members": #"[[{"animal": "cat"}, {"animal": "dog"}], [{"size": "small"}, {"size": "big"}]]"#,
      "context": #""{{size}} {{animal}}: {{question}}""#,
    ]
    let tasks = try EvaluationTask.read(file(changes))
    #expect(tasks.map(\.name) == ["cat_small", "cat_big", "dog_small", "dog_big"])
    #expect(tasks[2].groups == ["dog", "zoo"] && tasks[2].group == "dog")
    try scratch.write(
      Array(#"{"question": "?", "size": "row's", "options": ["a"], "answer": 0}"#.utf8), to: "animals.jsonl")
    #expect(try tasks[3].rows(in: scratch.path)[0].requests[0].context == "big dog: ?")
    #expect(
      message { _ = try EvaluationTask.read(file(["members": #"[{"animal": "cat"}, {"animal": "dog"}]"#])) }
        .hasSuffix("animals.json, line 2: two members have the name animals; write a word of each member into `name`"))
  }

  /// Change, then the line and what the message says.
  static let wrongFiles: [(String, String, Int, String)] = [
    ("chioces", "[]", 10, "`chioces` is no key of a task; did you mean choices?"),
    ("metrics", #"["accuracy"]"#, 9, "`accuracy` is no metric of a task of this form"),
    ("metrics", #"["perplexity"]"#, 9, "known are acc, acc_norm, acc_bytes, f1, em"),
    ("metrics", "[]", 9, "`metrics` is empty"),
    ("metrics", #"["acc", "acc"]"#, 9, "`metrics` names acc twice; leave one of them out"),
    ("metrics", #""acc""#, 9, "`metrics` is a string and must be a list"),
    (
      "form", #""choice""#, 5, "`choice` is no form of a task; known are choices, contexts, continuation and generation"
    ),
    ("form", "1", 5, "`form` is a number and must be a string"),
    ("form", #""generation""#, 7, "`choices` has no meaning in a task of the form generation; leave it out"),
    ("stops", #"["x"]"#, 10, "`stops` has no meaning in a task of the form choices"),
    ("context", #""{{question""#, 6, "the template `context` is not understood"),
    ("context", #""{% if x %}""#, 6, "the template `context` is not understood"),
    ("choices", "3", 7, "`choices` is a number and must be a list of templates"),
    ("choices", #"{"each": "{{options}}", "txt": "x"}"#, 7, "`txt` is no key of `choices`; did you mean text?"),
    ("data", #"{"files": []}"#, 4, "`data.files` is empty; name the file of the data"),
    ("data", #"{"file": ["x"]}"#, 4, "`file` is no key of `data`; did you mean files?"),
    ("data", "[]", 4, "`data` is empty; say where the rows are"),
    ("shots", #"{"choose": "best"}"#, 10, "`best` is no way to choose examples; known are first and random"),
    ("shots", #"{"count": -1}"#, 10, "`shots.count` is -1 and must be a whole number from 0 to 10000"),
    ("shots", #"{"list": "{{[1]}}", "data": {"files": ["x"]}}"#, 10, "examples are either in `list` or in `data`"),
    ("name", #""two words""#, 2, "`two words` cannot be a task's name"),
    ("name", #""{{language}}""#, 2, "language is undefined"),
    ("members", "[]", 10, "`members` is empty"),
    ("name", "\"a\", \"name\": \"b\"", 2, "`name` occurs twice; leave one of them out"),
    ("members", "[3]", 10, "`members[0]` is a number and must be an object"),
    ("delimiter", "null", 1, ""),
  ]

  @Test(arguments: wrongFiles)
  func aWrongFileIsExplained(_ key: String, _ value: String, _ line: Int, _ problem: String) throws {
    let path = try file([key: value])
    guard !problem.isEmpty else {
      // Null is as good as not there.
      #expect(try EvaluationTask.read(path).count == 1)
      return
    }
    let message = message { _ = try EvaluationTask.read(path) }
    #expect(message.hasPrefix("\(path), line \(line): ") && message.contains(problem), "\(message)")
  }

  @Test(arguments: ["name", "data", "form", "context", "choices", "target", "metrics"])
  func whatMustBeThereIsAskedFor(_ key: String) throws {
    let path = try file(without: key)
    let message = message { _ = try EvaluationTask.read(path) }
    #expect(message == "\(path), line 1: `\(key)` is missing; add it")
  }

  @Test func whatIsNoJSONIsExplained() throws {
    let path = scratch.file("broken.json")
    try scratch.write(Array("{\n  \"name\": \"a\",,\n}".utf8), to: "broken.json")
    #expect(message { _ = try EvaluationTask.read(path) }.hasPrefix("\(path), line 2, column 15: it is not JSON"))
    try scratch.write(Array("[1]".utf8), to: "broken.json")
    #expect(message { _ = try EvaluationTask.read(path) } == "\(path), line 1: a task is one JSON object")
    #expect(message { _ = try EvaluationTask.read(scratch.file("none.json")) }.contains("there is no such file"))
    for expression in ["(", "[a-"] {
      let filter = #"[{"name": "n", "steps": [{"regex": "\#(expression)"}]}]"#
      let changes = ["form": #""generation""#, "metrics": #"["exact_match"]"#, "filters": filter]
      _ = try file(changes, without: "choices")
      #expect(
        message { _ = try EvaluationTask.read(scratch.file("animals.json")) }.contains(
          "`\(expression)` is no regular expression"))
    }
  }

  /// Metrics are named by filters, so that two of one name would have one value.
  @Test func filtersHaveNamesOfTheirOwn() throws {
    let filters = #"[{"name": "n", "steps": ["strip"]}, {"name": "n", "steps": ["lowercase"]}]"#
    let changes = ["form": #""generation""#, "metrics": #"["exact_match"]"#, "filters": filters]
    _ = try file(changes, without: "choices")
    #expect(
      message { _ = try EvaluationTask.read(scratch.file("animals.json")) }.contains(
        "two filters have the name n, by which their metrics are told apart; rename one"))
  }

  /// As in lm-evaluation-harness, where nothing follows a choice (a row of xwinograd_jp is so), the delimiter alone is scored.
  @Test func anEmptyContinuationIsTheDelimiter() throws {
    let changes = [
      "form": #""contexts""#, "contexts": #""{{options}}""#, "continuation": #""{{question}}""#, "metrics": #"["acc"]"#,
    ]
    let members = changes.merging(["data": #"{"files": ["animals.jsonl"]}"#]) { first, _ in first }
    try scratch.write(Array(#"{"question": "", "options": ["a", "b"], "answer": 0}"#.utf8), to: "animals.jsonl")
    let lines = (["name": #""ends""#, "target": #""{{answer}}""#].merging(members) { first, _ in first }).map {
      "\"\($0.key)\": \($0.value)"
    }
    try scratch.write(Array("{\(lines.joined(separator: ", "))}".utf8), to: "ends.json")
    let task = try #require(try EvaluationTask.read(scratch.file("ends.json")).first)
    #expect(try task.rows(in: scratch.path).count == 1)
  }

  @Test func examplesThatAreNotAskedForNeedNoFile() throws {
    let path = try file(["shots": #"{"count": 2, "data": {"files": ["more.jsonl"]}}"#])
    let task = try #require(try EvaluationTask.read(path).first)
    try scratch.write(Array(#"{"question": "q", "options": ["a", "b"], "answer": 0}"#.utf8), to: "animals.jsonl")
    #expect(task.missingData(in: scratch.path)?.files == ["more.jsonl"])
    #expect(task.missingData(in: scratch.path, shots: 0) == nil)
  }

  /// A row in second place, then what is said about it.
  static let wrongRows: [(String, String)] = [
    (
      #"{"options": ["a", "b"], "answer": 0}"#,
      "the task's `context` cannot be written: line 1 of the template: question is undefined"
    ),
    (#"{"question": "q", "options": ["a", "b"]}"#, "the task's `target` cannot be written: answer is undefined"),
    (
      #"{"question": "q", "options": ["a", "b"], "answer": 2}"#,
      "the label 2 is none of the row's 2 choices; give a place from 0 to 1 or the text of one of them"
    ),
    (#"{"question": "q", "options": ["a", "b"], "answer": -1}"#, "the label -1 is none of the row's 2 choices"),
    (#"{"question": "q", "options": ["a", "b"], "answer": "c"}"#, #"the label "c" is none of the row's 2 choices"#),
    (#"{"question": "q", "options": ["a", "b"], "answer": null}"#, "the label null is none of the row's 2 choices"),
    (#"{"question": "q", "options": ["a", "b"], "answer": []}"#, "the label is an empty list"),
    (
      #"{"question": "q", "options": ["a", ""], "answer": 0}"#,
      "number 2 of the task's `choices` is empty, so that nothing can be scored"
    ),
    (#"{"question": "q", "options": [], "answer": 0}"#, "the task's `choices` gives no text for this row"),
    (#"{"question": "q", "options": "a", "answer": 0}"#, "the task's `choices` gives a string and must give a list"),
    (
      #"{"question": "q", "options": ["a", {}], "answer": 0}"#,
      "the task's `choices` gives a list with an object in it and must give texts"
    ),
    (#"{"question": ["q"], "options": ["a"], "answer": 0}"#, "a list is printed, which is not supported"),
    (#"["question"]"#, "it is an array; each line must be one JSON object"),
    (#"{"question": "q""#, "it is not JSON"),
  ]

  @Test(arguments: wrongRows)
  func aWrongRowIsExplained(_ row: String, _ problem: String) throws {
    let first = #"{"question": "What do cows eat?", "options": ["grass", "stones"], "answer": 0}"#
    let message = message { _ = try rows(first + "\n" + row + "\n") }
    #expect(message.contains("animals.jsonl, line 2") && message.contains(problem), "\(message)")
  }

  @Test func dataThatAreNotThereAreExplained() throws {
    let task = try #require(try EvaluationTask.read(file()).first)
    let missing = try #require(task.missingData(in: scratch.path))
    #expect(missing.files == ["animals.jsonl"] && missing.origin == "the zoo" && missing.licence == "CC0")
    #expect(
      message { _ = try task.rows(in: scratch.path) }
        == "the task animals needs animals.jsonl in \(scratch.path); the data are at the zoo (licence: CC0)")
    #expect(
      message { _ = try rows("\n") }.contains(
        "animals.jsonl: it has no row; give the file that the task was made for (the zoo)"))
    let one = #"{"question": "q", "options": ["a"], "answer": 0}"# + "\n"
    #expect(
      message { _ = try rows(one, shots: 1) }.contains(
        "1 examples are asked for, for which it needs 2 rows, and there are 1"))
    #expect(message { _ = try rows(one + one, shots: 1) }.contains("only 0 differ from this row and 1 are asked for"))
    let filter = ["data": #"{"files": ["animals.jsonl"], "filter": "{{question}}"}"#]
    #expect(message { _ = try rows(one, filter) }.contains("`data.filter` gives a string and must give true or false"))
    let none = ["data": #"{"files": ["animals.jsonl"], "filter": "{{answer > 3}}"}"#]
    #expect(message { _ = try rows(one, none) }.contains("it has no row that passes the task's filter"))
  }

  @Test func namesAreSuggested() throws {
    #expect(try EvaluationTask.named("xcopa").count == 11 && EvaluationTask.named("mmlu_stem").count == 19)
    #expect(try EvaluationTask.named("paws_en")[0].name == "pawsx_en")
    #expect(
      message { _ = try EvaluationTask.named("hellaswga") }.contains("there is no such task; did you mean hellaswag?"))
  }

  /// Shipped files are read once where they are asked for; here each must be understood, and say where its data are.
  @Test func everyShippedFileIsUnderstood() throws {
    var names: [String] = []
    for file in ShippedTasks.files {
      let definitions = try TaskReader.definitions(file.bytes, of: file.name)
      names += definitions.flatMap { [$0.name] + $0.aliases }
      for definition in definitions {
        #expect(
          !definition.about.isEmpty && definition.sources.allSatisfy { !$0.origin.isEmpty && !$0.licence.isEmpty })
      }
    }
    #expect(names.count == Set(names).count && EvaluationTask.shipped.count == 398)
    #expect(Set(EvaluationTask.shipped.flatMap(\.groups)).isDisjoint(with: names))
    let folder = URL(fileURLWithPath: TestData.fixtures).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/CMartletData/Tasks").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(ShippedTasks.files.map(\.name) == files, "Tasks.c must name every file of its folder")
  }
}
