import Foundation
import MartletData
import Testing

@testable import MartletReasoning

@Suite struct StageTests {
  private func row(_ id: String, _ response: String, correct: Bool? = true) -> TeachingRow {
    var row = TeachingRow(id: id, task: "svamp", split: "train", question: "How many?", answer: "4")
    (row.response, row.isCorrect, row.strategy, row.system) = (response, correct, "step_by_step", "Work in steps.")
    if correct != nil { row.extracted = "4" }
    return row
  }

  private func read(_ text: String, _ change: (inout QuestionSource) -> Void = { _ in }) throws -> [TeachingRow] {
    let path = NSTemporaryDirectory() + "questions-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    var source = QuestionSource(path)
    change(&source)
    return try QuestionReader().rows(of: source)
  }

  @Test(arguments: [
    (#"{"question":"Q?","answer":"4/2 = <<4/2=2>>2\n#### 2"}"#, "Q?", "2", "number"),
    (
      #"{"body":"There are 8 cups.","question":"How many?","answer":8.0}"#, "There are 8 cups. How many?", "8", "number"
    ),
    (#"{"qid":"a","question":"Is it?","answer":true,"facts":["It is."]}"#, "Is it?", "yes", "yes-no"),
    (#"{"question":"Where?","choices":["park","moon"],"answer_index":1}"#, "Where?", "moon", "choice"),
    (#"{"question":"Which?","options":["A)21","B)3"],"rationale":"So.","correct":"B"}"#, "Which?", "B", "choice"),
    (
      #"{"split":"train","task":"coin_flip","question":"Heads?","rationale":"No. The answer is no.","answer":"no"}"#,
      "Heads?", "no", "yes-no"
    ),
    (#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#, "Hi", nil, nil),
    (#"{"messages":[{"role":"user","content":"Hi"}]}"#, "Hi", nil, nil),
    (#"{"prompt":"Say","completion":"word"}"#, "Say", nil, nil),
    (#"{"system_prompt":"Be kind.","question":"Why?","response":"So."}"#, "Why?", nil, nil),
    (#"[{"instruction":"Add","input":"1, 2","output":"3"}]"#, "Add\n\n1, 2", nil, nil),
  ]) func shapesAreReadAsTheyAre(_ text: String, _ question: String, _ answer: String?, _ rule: String?) throws {
    let row = try #require(try read(text).first)
    #expect(row.question == question)
    #expect(row.answer == answer)
    #expect(row.rule == rule)
  }

  @Test(arguments: [
    #"{"foo":1}"#, "7", #"{"question":"Q","choices":["a"],"answer_index":5}"#, "", "{",
    #"{"question":"Q","choices":["a","b"],"answer":"C","rule":"choice"}"#,
    #"{"question":"Q","answer":"five","rule":"number"}"#, #"{"question":" \n","answer":"5"}"#,
    #"{"question":"Q","answer":"5","rule":"nope"}"#,
  ])
  func badQuestionsNameTheirPlace(_ text: String) throws {
    #expect(throws: FileError.self) { try read(text) }
  }

  @Test func validationAndLimitsAreDrawnByTheSeed() throws {
    let text = (0..<40).map { #"{"question":"Q\#($0)","answer":"\#($0)"}"# }.joined(separator: "\n")
    let rows = try read(text) {
      ($0.validation, $0.limits) = (10, ["train": 5])
    }
    #expect(rows.count { $0.split == "validation" } == 10)
    #expect(rows.count { $0.split == "train" } == 5)
  }

  @Test func onePathIsKeptOnce() throws {
    let rows = [
      row("a", "First 2 + 2 = 4. The answer is 4."), row("a", "We add: 2+2=4. The answer is 4."),
      row("a", "Two times 2 * 2 = 4. The answer is 4."), row("b", "2 + 2 = 4"), row("b", "No.", correct: false),
    ]
    let (selected, summary) = try Selection(SelectionSettings()).run(rows)
    #expect(selected.map { $0.dropped == nil } == [true, false, true, true, false])
    #expect(summary.selected == 3 && selected.count == 5)
  }

  /// Other data are mixed in, but none of their wrong answers.
  @Test func wrongAnswersAreNotMixedIn() throws {
    var settings = SelectionSettings()
    settings.mixture = [.init(source: QuestionSource("other.jsonl"), share: 0.5)]
    let others = [row("c", "x"), row("d", "y", correct: false)]
    let (selected, summary) = try Selection(settings).run([row("a", "2 + 2 = 4")], mixtures: [others])
    #expect(summary.mixed == 1 && selected.last?.id == others[0].id)
    #expect(throws: TeachingError.self) {
      try Selection(settings).run([row("a", "2 + 2 = 4"), row("b", "1 + 1 = 2")], mixtures: [others])
    }
  }

  @Test func erasureKeepsWhatTheTeacherWasTold() throws {
    for kind in ArmSettings.Erasure.allCases {
      let erased = try #require(try PromptErasure(kind, strategies: .shipped).run([row("a", "4")]).first)
      #expect(erased.others["teacher_system"]?.string == "Work in steps.")
      switch kind {
      case .erased: #expect(erased.system == StudentSettings.carefulMessage)
      case .kept: #expect(erased.system == "Work in steps.")
      case .none: #expect(erased.system == nil)
      case .wrong: #expect(erased.system != nil && erased.others["told_strategy"]?.string != "step_by_step")
      }
    }
  }

  @Test func shippedStrategiesCoverTheirTasks() throws {
    let table = try StrategyTable.shipped
    #expect(
      try table.strategy(for: TeachingRow(id: "1", task: "svamp", split: "train", question: "")).id == "step_by_step")
    #expect(table.followed(by: "1. Add.\n2. Check. The answer is 4.") == "step_by_step")
    #expect(try StrategyTable(Array(table.json.text.utf8), of: "own.json") == table)
  }

  @Test func nearQuestionsFormClusters() {
    let points: [[Float]] = [[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [1, 0.1]]
    let groups = ClusterSearch.groups(points, count: 2, seed: 1).map { Set($0) }
    #expect(Set(groups) == [[0, 1, 4], [2, 3]])
  }

  @Test(arguments: [
    (#"{"name":"x"}"#, "questions"),
    (
      "{\"name\":\"x\",\n\"questions\":[\"f\"],\"student\":{\"model\":\"m\"},\n\"arms\":[{\"name\":\"a\",\"method\":\"cott\"}]}",
      "line 3"
    ),
    (#"{"name":"x","questions":["f"],"student":{"model":"m"},"arms":[],"sedd":1}"#, "seed"),
    (#"{"name":"x","questions":["f"],"student":{"model":"m"},"arms":[{"name":"../a","method":"cot"}]}"#, "folder"),
    (
      #"{"name":"x","questions":["f"],"student":{"model":"m"},"arms":[{"name":"a","method":"cot","start":"b"}]}"#, "arm"
    ),
    ("{", "JSON"),
  ]) func badRecipesAreExplained(_ text: String, _ word: String) throws {
    let error = #expect(throws: FileError.self) { try Recipe(Array(text.utf8), of: "recipe.json") }
    #expect(error?.message.contains(word) == true)
    #expect(error?.message.contains("recipe.json") == true)
  }
}
