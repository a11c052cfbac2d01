import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletEvaluation

/// A scorer of numbers made from the tokens, which finishes rows out of order, and a generator that repeats the context's end.
private struct MadeUpModel: ContinuationScorer, TextGenerator {
  var shift = 0
  /// What it reads of a context: not all of "Question 10?".
  static let window = 11
  /// What it refuses to score.
  var longestContinuation = Int.max

  func check(_ request: TokenizedRequest) throws {
    if request.continuation.count > longestContinuation { throw ScoringError("the continuation is too long") }
  }

  func encode(_ request: ContinuationRequest) throws -> TokenizedRequest {
    TokenizedRequest(context: request.context.utf8.map(Int.init), continuation: request.continuation.utf8.map(Int.init))
  }

  func scores(
    _ rows: [[TokenizedRequest]], finished: (_ row: Int, _ scores: [ContinuationScore]) throws -> Void
  ) async throws -> [[ContinuationScore]] {
    let all = rows.map { row in
      row.map { request -> ContinuationScore in
        let sum = (request.context + request.continuation).reduce(shift) { ($0 &* 31 &+ $1) % 9973 }
        var score = ContinuationScore(logLikelihood: -Double(sum) / 7, isGreedy: sum % 2 == 0, tokenLogLikelihoods: [])
        score.truncatedTokens = max(0, request.context.count - Self.window)
        if sum % 2 == 0 { score.influence = .wordsOnly }
        return score
      }
    }
    for row in rows.indices.sorted(by: { ($0 * 5 % 7, $0) < ($1 * 5 % 7, $1) }) { try finished(row, all[row]) }
    return all
  }

  func generate(
    _ requests: [GenerationRequest], finished: (_ request: Int, _ text: GeneratedText) throws -> Void
  ) async throws {
    for (place, request) in requests.enumerated().reversed() {
      var text = GeneratedText(
        String(request.context.suffix(3 + shift)), contextTokens: request.context.utf8.map(Int.init))
      text.truncatedTokens = max(0, request.context.count - Self.window)
      try finished(place, text)
    }
  }
}

struct EvaluationRunTests {
  private let scratch: TestData.Scratch

  init() throws { scratch = try TestData.Scratch() }

  private func model(_ name: String = "one", shift: Int = 0) -> EvaluatedModel {
    let model = MadeUpModel(shift: shift)
    return EvaluatedModel(name: name, fingerprint: "made up \(shift)", scorer: model, generator: model)
  }

  /// Two tasks in the scratch folder: choices and generated answers.
  private func tasks(rows: Int = 30) throws -> [EvaluationTask] {
    let lines = (0..<rows).map {
      "{\"q\": \"Question \($0)?\", \"a\": \" yes \($0)\", \"b\": \" no\", \"right\": \($0 % 2)}\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: scratch.file("rows.jsonl")))
    let data = #""data": [{"files": ["rows.jsonl"], "origin": "made here", "licence": "none"}]"#
    let texts = [
      "choose": """
      {"name": "choose", \(data), "form": "choices", "context": "{{q}}", "choices": ["{{a}}", "{{b}}"], "target": "{{right}}",
       "metrics": ["acc", "acc_norm"]}
      """,
      "write": """
      {"name": "write", \(data), "form": "generation", "context": "{{q}}", "target": "{{a}}", "stops": ["!"], "max_tokens": 5,
       "metrics": ["exact_match"]}
      """,
    ]
    return try ["choose", "write"].flatMap { name in
      try Data(texts[name, default: ""].utf8).write(to: URL(fileURLWithPath: scratch.file(name + ".json")))
      return try EvaluationTask.read(scratch.file(name + ".json"))
    }
  }

  private func run(
    _ file: String, _ models: [EvaluatedModel], resumes: Bool = false, limit: Int? = nil, endingAfter: Int = .max
  ) async throws -> EvaluationRun {
    struct Ended: Error {}
    let run = try EvaluationRun(
      tasks(), models: models, data: scratch.path,
      options: .init(limit: limit, file: scratch.file(file), resumes: resumes))
    var count = 0
    do {
      try await run.run { _, _ in
        count += 1
        if count >= endingAfter { throw Ended() }
      }
    } catch is Ended {}
    return run
  }

  private func bytes(_ file: String) -> [UInt8] {
    Array(FileManager.default.contents(atPath: scratch.file(file)) ?? Data())
  }

  /// What `kill -9` leaves is a file of whole lines and one that is begun: from every such file the same one comes.
  @Test(arguments: [1, 2]) func aResumedFileHasTheBytesOfAWholeOne(models: Int) async throws {
    let models = [model(), model("two", shift: 1)].prefix(models)
    let whole = try await run("whole", Array(models))
    let all = bytes("whole")
    #expect(all.count { $0 == 0x0a } == 60 * models.count && whole.total == 60 * models.count)
    // What was not read, and what an edit could not do, is counted: 20 of the 30 questions of each task are too long.
    #expect(whole.truncated == 40 * models.count && whole.wordsOnly > 0 && whole.wordsOnly <= 30 * models.count)
    for length in stride(from: 0, through: all.count, by: 97) + [all.count] {
      try Data(all.prefix(length)).write(to: URL(fileURLWithPath: scratch.file("cut")))
      try? FileManager.default.removeItem(atPath: scratch.file("cut.run.json"))
      try FileManager.default.copyItem(atPath: scratch.file("whole.run.json"), toPath: scratch.file("cut.run.json"))
      let resumed = try await run("cut", Array(models), resumes: true)
      #expect(bytes("cut") == all, "cut at \(length)")
      #expect(resumed.resumed == all.prefix(length).count { $0 == 0x0a })
      #expect(resumed.results.scores(of: 0) == whole.results.scores(of: 0))
    }
    for rows in [1, 7, 31, 45] {
      _ = try await run("ended\(rows)", Array(models), resumes: true, endingAfter: rows)
      #expect(bytes("ended\(rows)").count < all.count)
      _ = try await run("ended\(rows)", Array(models), resumes: true)
      #expect(bytes("ended\(rows)") == all, "ended after \(rows) rows")
    }
  }

  @Test func whatDoesNotBelongTogetherIsRefused() async throws {
    // The first four rows stand in the file once 25 are done, as rows are done out of order.
    _ = try await run("file", [model()], endingAfter: 25)
    func refusal(_ models: [EvaluatedModel], limit: Int? = nil) async -> String {
      do { _ = try await run("file", models, resumes: true, limit: limit) } catch { return "\(error)" }
      return ""
    }
    #expect(await refusal([model(shift: 1)]).contains("one is not the model that it was begun with"))
    #expect(await refusal([model("other")]).contains("begun with one and would go on with other"))
    #expect(await refusal([model()], limit: 3).contains("30 rows of choose and would go on with 3"))
    // A line that was changed.
    let text = String(decoding: bytes("file"), as: UTF8.self).replacing("\"row\":2,", with: "\"row\":3,")
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file("file")))
    #expect(await refusal([model()]).contains("line 3: it is not what this run writes for row 2 of choose"))
    try FileManager.default.removeItem(atPath: scratch.file("file.run.json"))
    #expect(await refusal([model()]).contains("file.run.json: it is missing"))
    #expect(await refusal([model()]).contains("write to another file"))
  }

  /// A file without rows is of no run, whatever lies beside it.
  @Test func aFileWithoutRowsIsBegun() async throws {
    _ = try await run("file", [model()], limit: 3)
    let three = bytes("file")
    try Data().write(to: URL(fileURLWithPath: scratch.file("file")))
    _ = try await run("file", [model()], resumes: true, limit: 2)
    #expect(bytes("file").count { $0 == 0x0a } == 4 && three.count > bytes("file").count)
    try FileManager.default.removeItem(atPath: scratch.file("file.run.json"))
    try Data().write(to: URL(fileURLWithPath: scratch.file("file")))
    _ = try await run("file", [model()], resumes: true, limit: 3)
    #expect(bytes("file") == three)
  }

  /// Neither a device nor a pipe can be gone on with, and nothing is left beside one.
  @Test func whatIsNoPlainFileIsRefusedAtOnce() async throws {
    let path = scratch.file("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    for (resumes, replaces) in [(false, true), (true, false)] {
      let options = EvaluationRun.Options(limit: 2, file: path, resumes: resumes, replaces: replaces)
      var refusal = ""
      do { _ = try EvaluationRun(tasks(), models: [model()], data: scratch.path, options: options) } catch {
        refusal = "\(error)"
      }
      #expect(refusal.contains("pipe"))
      #expect(!FileManager.default.fileExists(atPath: path + ".run.json"))
    }
  }

  @Test func aRowThatCannotBeScoredIsNamed() async throws {
    let made = MadeUpModel(longestContinuation: 7)
    let model = EvaluatedModel(name: "short", fingerprint: "short", scorer: made, generator: made)
    let error = await #expect(throws: FileError.self) { _ = try await run("file", [model]) }
    #expect(
      error.map { "\($0)".contains("rows.jsonl, line 11: the continuation is too long") } == true, "\(error as Any)")
  }

  @Test func linesHaveTheStatedForm() async throws {
    _ = try await run("file", [model()])
    let lines = try JSONLines.read(scratch.file("file")).map(\.value)
    let keys = [
      "task", "row", "gold", "prediction", "prediction_norm", "correct", "correct_norm", "requests", "generated",
    ]
    #expect(lines.allSatisfy { $0.object?.members.map(\.key) == keys })
    let choice = lines[1], written = lines[30]
    #expect(choice["task"]?.string == "choose" && choice["row"]?.integer == 1 && choice["gold"]?.integer == 1)
    #expect(choice["requests"]?.array?.count == 2 && choice["generated"]?.isNull == true)
    let request = choice["requests"]?.array?.first
    #expect(
      request?.object?.members.map(\.key) == ["context_tokens", "continuation_tokens", "log_likelihood", "is_greedy"])
    #expect(written["task"]?.string == "write" && written["generated"]?.string == " 0?")
    #expect(written["requests"]?.array?.first?["log_likelihood"]?.isNull == true)
    _ = try await run("two", [model(), model("two", shift: 1)])
    let models = try JSONLines.read(scratch.file("two")).map { $0.value["model"]?.string }
    #expect(models.prefix(4) == ["one", "two", "one", "two"])
  }

  @Test func modelsAreComparedRowByRow() async throws {
    let results = try await run("file", [model(), model("two", shift: 3)]).results
    let comparison = try #require(results.comparisons().first)
    #expect(comparison.task == "choose" && comparison.metric == "acc" && comparison.count == 30)
    let means = [0, 1].map { results.tasks[0].values("acc", model: $0).reduce(0, +) / 30 }
    #expect(abs(comparison.difference - (means[1] - means[0])) < 1e-12)
    let test = try #require(comparison.test)
    #expect(abs(Double(test.onlySecond - test.onlyFirst) / 30 - comparison.difference) < 1e-12)
    #expect(comparison.interval.contains(comparison.difference) && results.tasks[0].chance == 0.5)
    let page = EvaluationPage(results, published: PublishedScores.all, conditions: ["a < b"]).html
    #expect(page.contains("a &lt; b") && page.contains("whisker") && page.contains("What may be concluded"))
    #expect(!page.contains("<script") && !page.contains("http"))
  }
}

struct TableAverageTests {
  private func score(_ member: TableAverage.Member, _ value: Double) -> TaskScore {
    TaskScore(name: member.name, values: [member.metric: MeanEstimate(value: value, standardError: 0.01, count: 100)])
  }

  @Test func anAverageNamesWhatIsMissing() throws {
    let members = TableAverage.english.members
    let all = members.enumerated().map { score($1, Double($0) / 20) }
    let whole = TableAverage.english.value(all)
    #expect(whole.isComplete && abs(whole.mean.value - 0.275) < 1e-12)
    #expect(abs(whole.mean.standardError - 0.01 / 12.0.squareRoot()) < 1e-12)
    let part = TableAverage.english.value(Array(all.dropLast(2)))
    #expect(part.missing.map(\.name) == ["record", "copa"] && !part.isComplete && part.present.count == 10)
    #expect(TableAverage.multilingual.value(all).present.isEmpty)
  }

  @Test func publishedAveragesAreThoseOfTheirColumns() throws {
    #expect(PublishedScores.all.count == 13)
    for scores in PublishedScores.all {
      for average in TableAverage.all {
        let values = average.members.compactMap { scores.columns[$0.column] }
        #expect(values.count == average.members.count)
        let mean = values.reduce(0, +) / Double(values.count)
        // Members and averages are printed to one digit: each is off by up to 0.05.
        #expect(abs(mean - (scores.percent(average) ?? 0)) <= 0.1 + 1e-9, "\(scores.name) \(average.name)")
      }
    }
    #expect(try PublishedScores.named("RWKV-5-World").columns["english_avg"] == 61.8)
    let error = #expect(throws: EvaluationError.self) { try PublishedScores.named("rwkv-5-word") }
    #expect(error?.message.contains("rwkv-5-world") == true)
  }

  /// Beside a mean of some members stands the published mean of the same, and never the average of all.
  @Test func aMeanOfSomeMembersIsNoAverage() throws {
    let tasks = try ["copa", "piqa"].map { name in
      let right = ["acc": 1.0, "acc_norm": 0], wrong = ["acc": 0.0, "acc_norm": 0]
      let results = [right, wrong].map { RowResult(prediction: 0, isCorrect: nil, values: $0) }
      return EvaluationResults.Task(
        try #require(EvaluationTask.named(name).first), rows: [], results: [results, results])
    }
    let results = EvaluationResults(models: ["/a/one.gguf", "/b/two.gguf"], tasks: tasks)
    #expect(results.labels == ["one.gguf", "two.gguf"])
    let published = try PublishedScores.named("rwkv-5-world")
    let table = try #require(AverageTable(.english, of: results, published: [published]))
    #expect(table.rows.count == 14 && table.rows.contains(["copa acc", "50.0 ± 50.0", "50.0 ± 50.0", "77.0"]))
    #expect(table.rows[12] == ["mean of 2 of 12 members", "50.0 ± 35.4", "50.0 ± 35.4", "74.1"])
    #expect(table.rows[13] == ["avg%", "-", "-", "61.8"])
    #expect(table.notes[0].contains("missing: lambada_openai, storycloze_2016"))
    #expect(AverageTable(.multilingual, of: results, published: [published]) == nil)
    #expect(EvaluationResults(models: ["a/m", "b/m"], tasks: []).labels == ["a/m", "b/m"])
  }

  private func results(_ tasks: [EvaluationTask]) -> EvaluationResults {
    let right = ["acc": 1.0, "acc_norm": 1], wrong = ["acc": 0.0, "acc_norm": 0]
    let rows = [right, wrong].map { RowResult(prediction: 0, isCorrect: nil, values: $0) }
    return EvaluationResults(
      models: ["one", "two"], tasks: tasks.map { .init($0, rows: [], results: [rows, rows]) })
  }

  /// A group of which some tasks ran is no member of an average, and says so.
  @Test func aPartOfAGroupIsNoMember() throws {
    let groups = try ["xcopa", "xwinograd"].map(EvaluationTask.named)
    let part = results([groups[0][0]] + groups[1])
    let table = try #require(AverageTable(.multilingual, of: part, published: []))
    #expect(table.rows.contains(["xcopa acc", "-", "-"]) && table.rows.contains { $0[0] == "mean of 1 of 4 members" })
    #expect(table.notes[0].contains("xcopa (1 of 11 tasks)"))
    #expect(part.groups.map(\.title) == ["xcopa (1 of 11 tasks)", "xwinograd"])
    #expect(!part.comparisons().contains { $0.metric == "mean" })
    let whole = results(groups[0] + groups[1])
    #expect(whole.comparisons().contains { $0.task == "mean of 2 of the 4 members of xavg%" })
  }

  /// A task of a user's own is not the published one, whatever its name and its group.
  @Test func aTaskOfOnesOwnIsNoMember() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("own.json")
    try Data(
      """
      {"name": "hellaswag", "groups": ["xcopa"], "data": {"files": ["own.jsonl"]}, "form": "choices", "context": "{{q}}",
       "choices": "{{c}}", "target": "{{a}}", "metrics": ["acc"]}
      """.utf8
    ).write(to: URL(fileURLWithPath: path))
    let own = try EvaluationTask.read(path)
    #expect(!own[0].isShipped && results(own).tasks[0].mainMetric == "acc")
    #expect(AverageTable(.english, of: results(own), published: []) == nil)
    let mixed = results(try EvaluationTask.named("xcopa") + own)
    #expect(AverageTable(.multilingual, of: mixed, published: []) == nil)
    #expect(mixed.groups.map(\.title) == ["xcopa"])
  }

  /// Every member is a task or a group that is shipped, and has the metric.
  @Test func membersAreShipped() throws {
    for member in TableAverage.all.flatMap(\.members) {
      let tasks = try EvaluationTask.named(member.name)
      #expect(!tasks.isEmpty && tasks.allSatisfy { $0.metrics.contains { $0.name == member.metric } }, "\(member.name)")
    }
  }
}
