import Foundation
import MartletData
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletReasoning

/// Whole recipes with the model in the box as the student.
struct TeachingRunTests {
  private let scratch: TestData.Scratch

  init() throws { scratch = try TestData.Scratch() }

  private func recipe(arms: String, extra: String = "") throws -> Recipe {
    let text = """
      {"name": "tiny", "seed": 3, \(extra)
       "questions": [{"generate": "coin_flip", "limits": {"train": 8, "test": 3, "test_ood3": 2}}],
       "student": {"model": "box", "format": "plain", "system": ""},
       "training": {"seeds": [1, 2], "steps": 2, "batch": 2, "rank": 2},
       "arms": [\(arms)],
       "evaluation": {"splits": ["test", "test_ood3"], "max_tokens": 8, "damage": [], "damage_limit": 0}}
      """
    return try Recipe(Array(text.utf8), of: "tiny.json")
  }

  private func run(_ recipe: Recipe, _ folder: String, checks: Int? = nil) async throws -> TeachingReport? {
    let left = Mutex(checks ?? .max)
    return try await TeachingRun(recipe, folder: scratch.file(folder)) { _ in
      throw TeachingError("no teacher is needed")
    }.run(isInterrupted: {
      left.withLock { left in
        left -= 1
        return left < 0
      }
    })
  }

  private func contents(_ folder: String) throws -> [String: Data] {
    let root = scratch.file(folder)
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root)
    where path.hasSuffix(".jsonl") && !path.hasPrefix("runs/")
      || path.hasSuffix(".safetensors") && !path.contains("checkpoints")
    {
      files[path] = FileManager.default.contents(atPath: root + "/" + path)
    }
    return files
  }

  private static let arms = """
    {"name": "as-it-is", "method": "untrained"}, {"name": "answers", "method": "answer-only"},
    {"name": "thoughts", "method": "cot", "start": "answers"}
    """

  /// Ended at every moment at which it may be ended, the recipe comes to the same files.
  @Test func aRunThatIsEndedAgainAndAgainComesToTheSameReport() async throws {
    let recipe = try recipe(arms: Self.arms)
    let whole = try #require(try await run(recipe, "whole"))
    var attempts = 0, report: TeachingReport?
    while report == nil, attempts < 200 {
      report = try await run(recipe, "pieces", checks: 6 + attempts)
      attempts += 1
    }
    let pieces = try #require(report)
    #expect(attempts > 3)
    #expect(try contents("whole") == contents("pieces"))
    #expect(try contents("whole").count >= 10)
    #expect(pieces.arms == ["as-it-is", "answers", "thoughts"])
    #expect(pieces.cells.map(\.measures) == whole.cells.map(\.measures))
    #expect(whole.cost?.arms.map(\.runs) == [2, 2])
  }

  @Test func aFolderOfAnotherRecipeIsRefused() async throws {
    _ = try await run(recipe(arms: Self.arms), "one", checks: 2)
    await #expect(throws: FileError.self) {
      _ = try await run(recipe(arms: Self.arms, extra: "\"about\": \"x\","), "one")
    }
  }

  /// The student is asked in each round, and what it answered wrong is asked again with a hint.
  @Test func roundsKeepWhatWasAnswered() async throws {
    let recipe = try recipe(
      arms:
        "{\"name\": \"star\", \"method\": \"star\", \"rounds\": 2, \"temperature\": 1, \"seeds\": [1], \"max_tokens\": 4}"
    )
    do {
      _ = try await run(recipe, "star")
    } catch let error as TeachingError {
      // A model that answers nothing right has nothing to learn from, and says so.
      #expect(error.message.contains("is left to learn from"))
    }
    let rows = try JSONLines.read(scratch.file("star/runs/star-seed-1/rounds/1/answers.jsonl")).map {
      try TeachingRow($0)
    }
    #expect(rows.filter { $0.others["answer_was_hinted"]?.bool == true }.count >= 1)
    #expect(Set(rows.map(\.id)).count == 8)
  }

  /// Arms that learn from the student's own answers go on in any process: their records do not depend on the order of a dictionary.
  @Test(arguments: [
    #""method": "grpo", "samples": 2, "policy": {"questions": 2, "kl_weight": 0.1, "clip_low": 0.1}"#,
    #""method": "dpo", "samples": 2, "policy": {"questions": 2, "beta": 0.2}"#,
    #""method": "gkd", "policy": {"questions": 2, "beta": 0.5, "own_share": 0.5}"#,
  ]) func rewardsPreferencesAndDistillationAreArms(settings: String) async throws {
    let recipe = try recipe(
      arms: """
        {"name": "start", "method": "answer-only", "seeds": [1]},
        {"name": "own", "start": "start", "steps": 2, "seeds": [1], "share": 0.5, "max_tokens": 4, \(settings)}
        """, extra: #""teacher": {"model": "box"},"#)
    let whole = try #require(try await run(recipe, "whole"))
    var attempts = 0, report: TeachingReport?
    while report == nil, attempts < 100 {
      report = try await run(recipe, "pieces", checks: 5 + attempts)
      attempts += 1
    }
    #expect(attempts > 1 && report?.arms == ["start", "own"])
    #expect(whole.cost?.arms.last?.steps == 2 && whole.cost?.arms.last?.questions == 4)
    #expect(try contents("whole") == contents("pieces"))
    // A folder may be moved: a run that another one starts from counts by its digest.
    try FileManager.default.moveItem(atPath: scratch.file("whole"), toPath: scratch.file("moved"))
    #expect(try await run(recipe, "moved")?.cells.map(\.measures) == whole.cells.map(\.measures))
  }

  @Test func armsAreDescribedInOneOrder() throws {
    var arm = ArmSettings(name: "a", method: .grpo), other = arm
    let keys = ["questions", "updates", "warmup", "clip", "clip_low", "clip_high", "kl_weight", "form_reward"]
    for key in keys { arm.policy[key] = .number(1) }
    for key in keys.reversed() { other.policy[key] = .number(1) }
    #expect(arm.description == other.description)
    #expect(arm.description.contains("[(key: \"clip\", value:"))
  }

  @Test func whatLaterStagesNeedIsMissedAtOnce() async throws {
    func problem(_ change: (inout Recipe) -> Void) async throws -> String {
      var recipe = try recipe(arms: Self.arms)
      change(&recipe)
      do {
        _ = try await run(recipe, "missing-\(UUID().uuidString)")
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(try await problem { $0.evaluation.splits = ["test", "test_ood9"] }.contains("test_ood9"))
    #expect(
      try await problem {
        $0.evaluation.damage = ["piqua"]; $0.evaluation.damageLimit = 1
      }.contains("piqua"))
    #expect(try await problem { $0.arms[1].erasure = .wrong }.contains("strategy"))
    #expect(try await problem { $0.student.model = "no-such-model" }.contains("no-such-model"))
  }

  @Test(arguments: Recipe.shippedNames) func shippedRecipesAreWhole(name: String) throws {
    let recipe = try Recipe.shipped(name)
    #expect(recipe.name == name)
    #expect(!recipe.about.isEmpty)
    for arm in recipe.arms where [.answerOnly, .cot, .twoTask, .rft, .star].contains(arm.method) {
      #expect(arm.maximumTokens.map { $0 <= 200_000 } ?? false)
    }
    for arm in recipe.arms where [.dpo, .grpo, .gkd].contains(arm.method) { _ = try PolicySettings(arm, seed: 1) }
    #expect(try recipe.taught(to: "box").student.model == "box")
    #expect(try recipe.taught(to: "box").arms == recipe.arms)
  }

  /// Every split that a recipe trains on or examines has questions, and those of training have responses or need none.
  @Test(.enabled(if: TestData.shared != nil), arguments: Recipe.shippedNames)
  func shippedRecipesHaveTheirQuestions(name: String) throws {
    let recipe = try Recipe.shipped(name)
    let folders = TestData.shared.map { [$0 + "/reasoning"] } ?? []
    let rows = try QuestionReader(folders: folders, seed: recipe.seed).rows(of: recipe.questions)
    let splits = Set(rows.map(\.split))
    #expect(splits.isSuperset(of: recipe.evaluation.splits + ["train"]))
    #expect(rows.allSatisfy { $0.answer != nil && $0.rule != nil })
    if recipe.arms.contains(where: { $0.method == .cot }) {
      #expect(rows.contains { $0.split == "train" && $0.response != nil && $0.dropped == nil })
    }
  }

  /// Responses that come with their questions stand for the strategies of the recipe.
  @Test func responsesOfTheDataFollowTheStrategies() async throws {
    let questions = scratch.file("questions.jsonl")
    let choices = #""choices": ["park", "garden"], "rule": "choice""#
    let texts = [
      #"{"id": "a", "task": "commonsenseqa", "question": "Where?", "answer": "park", "split": "train", \#(choices), "response": "Dogs run there. The answer is park."}"#,
      #"{"id": "b", "task": "commonsenseqa", "question": "What?", "answer": "park", "split": "train", \#(choices), "response": "Roses grow. The answer is garden."}"#,
      #"{"id": "c", "task": "last_letter", "question": "Ada Lars?", "answer": "as", "split": "train", "rule": "last-letters", "response": "Long. The answer is as."}"#,
    ]
    try Data(texts.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: questions))
    let text = """
      {"name": "tiny", "questions": ["\(questions)", {"generate": "coin_flip", "limits": {"test": 1}}],
       "generation": {"prompt": "strategy"},
       "strategies": {"fixed": {"commonsense multiple choice": "answer_then_explain", "last letters": "direct",
                                "symbolic": "explain_then_answer"}},
       "student": {"model": "box"}, "training": {"steps": 1}, "arms": [{"name": "as-it-is", "method": "untrained"}],
       "evaluation": {"splits": ["test"], "max_tokens": 4, "damage": [], "damage_limit": 0}}
      """
    _ = try await run(Recipe(Array(text.utf8), of: "tiny.json"), "followed")
    let rows = try JSONLines.read(scratch.file("followed/selected.jsonl")).map { try TeachingRow($0) }
    let a = try #require(rows.first { $0.id == "a" }), b = try #require(rows.first { $0.id == "b" })
    #expect(a.response == "The answer is park. Dogs run there." && a.strategy == "answer_then_explain")
    #expect(b.response?.hasPrefix("Roses grow.") == true && b.dropped != nil)
    #expect(rows.first { $0.id == "c" }?.response == "The answer is as.")
  }

  @Test func thereAreTenRecipesAndTheDemo() {
    #expect(
      Recipe.shippedNames == [
        "demo", "gkd", "grpo-arithmetic", "magister-gsm8k", "magister-strategyqa", "magister-symbolic", "orca2-erasure",
        "rft",
        "star", "stepbystep-commonsenseqa", "stepbystep-svamp",
      ])
    #expect(throws: TeachingError.self) { try Recipe.shipped("magister-gms8k") }
  }

  @Test(arguments: [
    ("{\"name\": \"a\", \"method\": \"grpo\", \"policy\": {\"clip_lo\": 1}}", "clip_lo"),
    ("{\"name\": \"a\", \"method\": \"grpo\", \"policy\": {\"beta\": 0.1}}", "beta"),
    ("{\"name\": \"a\", \"method\": \"gkd\", \"policy\": {\"beta\": 2}}", "beta"),
    ("{\"name\": \"a\", \"method\": \"cot\", \"policy\": {\"beta\": 0.1}}", "policy"),
    ("{\"name\": \"a\", \"method\": \"cot\", \"alpha\": 0.1}", "alpha"),
    ("{\"name\": \"a\", \"method\": \"grpo\", \"epochs\": 2}", "epochs"),
    ("{\"name\": \"a\", \"method\": \"grpo\", \"samples\": 1}", "samples"),
    ("{\"name\": \"a\", \"method\": \"dpo\", \"temperature\": 0}", "temperature"),
    ("{\"name\": \"a\", \"method\": \"dpo\", \"rank\": 0}", "rank"),
    ("{\"name\": \"a\", \"method\": \"gkd\"}", "teacher"),
  ]) func policySettingsAreChecked(arm: String, word: String) throws {
    do {
      _ = try recipe(arms: arm)
      Issue.record("\(arm) was accepted")
    } catch let error as FileError {
      #expect(error.message.contains("line") && error.message.contains(word))
    }
  }
}

/// What two arms, or an arm and its start, must not have in common or must.
extension TeachingRunTests {
  @Test(arguments: [
    (#"{"name": "a", "method": "cot"}, {"name": "A", "method": "cot"}"#, "capitals alone"),
    (#"{"name": "a", "method": "cot"}, {"name": "a", "method": "cot"}"#, "two arms"),
    (#"{"name": "untrained", "method": "cot"}"#, "as it is"),
    (#"{"name": "a", "method": "cot"}, {"name": "b", "method": "cot", "rank": 0, "start": "a"}"#, "all parameters"),
    (#"{"name": "a", "method": "cot", "rank": 0}, {"name": "b", "method": "cot", "start": "a"}"#, "all parameters"),
    (#"{"name": "a", "method": "cot"}, {"name": "b", "method": "dpo", "rank": 4, "start": "a"}"#, "rank 4"),
  ]) func armsMustFitEachOther(arms: String, words: String) throws {
    let error = #expect(throws: FileError.self) { _ = try recipe(arms: arms) }
    #expect(error?.message.contains(words) ?? false)
    #expect(error?.message.contains("line") ?? false)
  }

  /// Rounds ask the arm that they start from, and train the student as it is.
  @Test func roundsMayStartFromAnyRank() throws {
    let arms = #"{"name": "a", "method": "cot"}, {"name": "b", "method": "rft", "rank": 4, "start": "a"}"#
    #expect(try recipe(arms: arms).arms.map(\.rank) == [2, 4])
  }

  @Test func splitsMustBeNamedOnce() throws {
    for splits in ["[]", #"["test", "test"]"#] {
      let text = """
        {"name": "tiny", "questions": [{"generate": "coin_flip", "limits": {"train": 8, "test": 3}}],
         "student": {"model": "box"}, "arms": [{"name": "a", "method": "cot"}], "evaluation": {"splits": \(splits)}}
        """
      let error = #expect(throws: FileError.self) { _ = try Recipe(Array(text.utf8), of: "tiny.json") }
      #expect(error?.message.contains("different splits") ?? false)
    }
  }

  @Test func responsesAreMissedBeforeTraining() async throws {
    let rows =
      #"{"id": "1", "task": "colours", "question": "Is snow white?", "answer": "yes", "rule": "yes-no", "split": "train"}"#
      + "\n"
      + #"{"id": "2", "task": "colours", "question": "Is coal white?", "answer": "no", "rule": "yes-no", "split": "test"}"#
      + "\n"
    try Data(rows.utf8).write(to: URL(fileURLWithPath: scratch.file("open.jsonl")))
    let text = """
      {"name": "open", "questions": ["\(scratch.file("open.jsonl"))"], "student": {"model": "box"},
       "arms": [{"name": "answers", "method": "answer-only"}, {"name": "thoughts", "method": "cot"}]}
      """
    let recipe = try Recipe(Array(text.utf8), of: "open.json")
    let error = await #expect(throws: TeachingError.self) { _ = try await run(recipe, "open") }
    #expect(error?.message.contains("thoughts") ?? false)
    #expect(error?.message.contains("teacher") ?? false)
  }
}

struct SymbolicQuestionsTests {
  @Test(arguments: SymbolicQuestions.Task.allCases) func answersFollowFromTheQuestion(task: SymbolicQuestions.Task)
    throws
  {
    let rows = try SymbolicQuestions(task, seed: 5).rows([("train", 2, 40), ("test_ood4", 4, 40)])
    #expect(rows.count == 80 && Set(rows.map(\.question)).count == 80)
    #expect(try rows == SymbolicQuestions(task, seed: 5).rows([("train", 2, 40), ("test_ood4", 4, 40)]))
    for row in rows {
      let answer: String
      switch task {
      case .coinFlip:
        let flips = row.question.components(separatedBy: " flips the coin.").count - 1
        answer = flips % 2 == 0 ? "yes" : "no"
      case .lastLetter:
        let quoted = row.question.split(separator: "\"")[1]
        answer = String(quoted.split(separator: " ").compactMap(\.last))
      }
      #expect(row.answer == answer)
      #expect(row.response?.hasSuffix("The answer is \(answer).") == true)
      #expect(try AnswerCheck().checked([row])[0].isCorrect == true)
    }
  }

  @Test func aSeedDrawsTheSameQuestionsInEveryVersion() throws {
    let coin = try #require(try SymbolicQuestions(.coinFlip, seed: 5).rows([("test_ood3", 3, 1)]).first)
    #expect(
      coin.question
        == "A coin is heads up. Bela does not flip the coin. Stig flips the coin. Ida does not flip the coin. Is the coin still heads up?"
    )
    #expect(coin.answer == "no")
    let letters = try #require(try SymbolicQuestions(.lastLetter, seed: 5).rows([("train", 2, 1)]).first)
    #expect(
      letters.response
        == "\"Sora\" ends in \"a\", which makes \"a\". \"Lars\" ends in \"s\", which makes \"as\". The answer is as.")
  }

  @Test func tooManyQuestionsAreRefused() {
    #expect(throws: TeachingError.self) { try SymbolicQuestions(.coinFlip).rows([("train", 1, 1000)]) }
    #expect(throws: TeachingError.self) { try SymbolicQuestions(.coinFlip).rows([("train", 0, 1)]) }
  }
}
