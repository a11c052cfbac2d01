import Foundation
import MartletData
import MartletEngine
import MartletModels

/// The rounds of arms whose student learns from its own right responses: rejection sampling (RFT; Yuan et al., 2023), and STaR (Zelikman
/// et al., 2022), which gives the answer as a hint where the student failed, and does not show that hint to what is trained.
///
/// In each round the student of the round before answers, and a new one is trained from the student as it is:
///
///     runs/star-seed-1/rounds/1/answers.jsonl     what the student wrote, checked
///     runs/star-seed-1/rounds/1/run/              the student that the next round asks
struct SelfTraining {
  private let run: TeachingRun
  private let arm: ArmSettings
  private let seed: Int
  private let table: StrategyTable

  init(_ run: TeachingRun, _ arm: ArmSettings, seed: Int, table: StrategyTable) {
    self.run = run
    self.arm = arm
    self.seed = seed
    self.table = table
  }

  private func folder(_ round: Int) -> String { run.folder.run(arm.name, seed: seed) + "/rounds/\(round)" }

  /// What the last student is trained on.
  /// - Parameter rows: the questions of the training split with the arm's system message. RFT also learns from the responses that they have.
  /// - Throws: ``TeachingError`` where the student has answered nothing right.
  func run(_ rows: [TeachingRow], _ follower: TeachingRun.Follower) async throws -> [TeachingRow] {
    var student = run.start(of: arm, seed: seed)
    var own: [TeachingRow] = []
    // What is mixed in is learnt beside the student's own responses; RFT also learns from those that come with the questions.
    let given = rows.filter {
      $0.response != nil && $0.dropped == nil && (arm.method == .rft || $0.others["mixed_in"]?.bool == true)
    }
    for round in 1...max(1, arm.rounds) {
      let answered = try await answers(rows, student, round, follower)
      // RFT keeps the responses of all rounds, STaR those of the latest.
      own = (arm.method == .rft ? own : []) + answered
      let learnt = try selected(given + own)
      follower.report(
        .note(
          "\(arm.name), seed \(seed), round \(round): \(answered.count { $0.isCorrect == true }) right responses of \(answered.count)"
        ))
      if round == arm.rounds || arm.rounds <= 1 { return learnt }
      let training = ArmTraining(
        arm, student: run.recipe.student, seed: seed, recipeSeed: run.recipe.seed, folder: folder(round) + "/run")
      let result = try training.run(learnt, isInterrupted: follower.isInterrupted) { event in
        follower.follow(event)
      }
      if result == nil { try follower.end() }
      student = training.folder
    }
    return try selected(given + own)
  }

  /// The responses of a round's student to all questions, checked.
  private func answers(
    _ rows: [TeachingRow], _ student: String?, _ round: Int, _ follower: TeachingRun.Follower
  ) async throws -> [TeachingRow] {
    let path = folder(round) + "/answers.jsonl"
    if FileManager.default.fileExists(atPath: path) { return try JSONLines.read(path).map { try TeachingRow($0) } }
    try OutputTarget.makeFolder(folder(round))
    var seen: Set<String> = []
    let asked = rows.filter { $0.others["mixed_in"]?.bool != true && seen.insert($0.id).inserted }
    if let open = asked.first(where: { $0.answer == nil || $0.rule == nil }) {
      throw TeachingError(
        "question \(open.id.printable) has no \(open.answer == nil ? "answer" : "rule"), so no response of the student can be checked; add it, as \(arm.method.rawValue) learns from right ones alone"
      )
    }
    let questions = asked.map { row in
      var row = row
      (row.response, row.teacher, row.extracted, row.isCorrect, row.dropped) = (nil, nil, nil, nil, nil)
      return row
    }
    let settings = run.recipe.student
    var options = Engine.Options()
    options.maxSequences = 32
    let engine = Engine(try StudentFiles.load(settings, trainedIn: student), options: options)
    let name = (settings.model as NSString).lastPathComponent
    let teacher = EngineTeacher(engine, name: name, isChat: settings.isChat)
    let cache = try AnswerCache(path + ".answers")
    var asking = GenerationSettings()
    asking.prompt = .plain
    asking.samples = arm.temperature > 0 ? arm.samples : 1
    asking.temperature = arm.temperature
    asking.maxTokens = arm.maxTokens
    func ask(_ rows: [TeachingRow]) async throws -> [TeachingRow] {
      // Another seed in each round and run, so that its answers are its own.
      let prompt = try TeacherPrompt(asking, strategies: table, seed: run.recipe.seed)
      let generation = Generation(prompt, seed: run.recipe.seed &+ 1000 &* seed &+ round)
      return try AnswerCheck().checked(await TeachingRun.generate(generation, rows, teacher, cache, follower))
    }
    var answered = try await ask(questions)
    if arm.method == .star {
      let right = Set(answered.filter { $0.isCorrect == true }.map(\.id))
      asking.givesAnswer = true
      let failed = questions.filter { !right.contains($0.id) }
      if !failed.isEmpty { answered += try await ask(failed) }
    }
    try answered.write(to: path)
    return answered
  }

  private func selected(_ rows: [TeachingRow]) throws -> [TeachingRow] {
    var settings = run.recipe.selection
    (settings.onlyCorrect, settings.mixture) = (true, [])
    return try Selection(settings, seed: run.recipe.seed).run(rows).rows
  }
}
