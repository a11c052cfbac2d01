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
      report = try await run(recipe, "pieces", checks: 6)
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

  @Test func rewardsAndDistillationAreArms() async throws {
    let recipe = try recipe(
      arms: """
        {"name": "rewarded", "method": "grpo", "steps": 1, "seeds": [1], "samples": 2, "max_tokens": 4, "policy": {"questions": 2}}
        """)
    let report = try #require(try await run(recipe, "grpo"))
    #expect(report.arms == ["rewarded"])
    #expect(report.cost?.arms.first?.steps == 1)
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
