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

  @Test func tooManyQuestionsAreRefused() {
    #expect(throws: TeachingError.self) { try SymbolicQuestions(.coinFlip).rows([("train", 1, 1000)]) }
    #expect(throws: TeachingError.self) { try SymbolicQuestions(.coinFlip).rows([("train", 0, 1)]) }
  }
}
