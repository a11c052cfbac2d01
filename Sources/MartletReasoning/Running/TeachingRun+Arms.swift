import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletModels

extension TeachingRun {
  /// The seeds of an arm: 0 alone where nothing is trained.
  func seeds(of arm: ArmSettings) -> [Int] { arm.method == .untrained ? [0] : arm.seeds }

  /// Trains and examines an arm with each of its seeds.
  func carryOut(
    _ arm: ArmSettings, _ selected: [TeachingRow], _ questions: [TeachingRow], _ table: StrategyTable,
    _ follower: Follower
  ) async throws {
    for seed in seeds(of: arm) {
      try follower.begin(arm.method == .untrained ? "\(arm.name): as it is" : "\(arm.name), seed \(seed)")
      var rows = try arm.method == .untrained ? [] : erased(selected, arm, table)
      if recipe.evaluation.usesCalculator {
        for place in rows.indices { rows[place].response = rows[place].response.map(CalculatedText.annotated) }
      }
      let run = folder.run(arm.name, seed: seed)
      var trained: ArmTrainingResult?
      switch arm.method {
      case .untrained: break
      case .answerOnly, .cot, .twoTask:
        try keep(rows, as: arm.name)
        trained = try train(arm, seed, rows, follower)
      case .rft, .star:
        let own = try await SelfTraining(self, arm, seed: seed, table: table).run(rows, follower)
        trained = try train(arm, seed, own, follower)
      case .dpo, .grpo, .gkd: trained = try await policy(arm, seed, rows, follower)
      }
      try await examine(arm, seed, trained == nil ? nil : run, trained?.digest ?? "", questions, table, follower)
    }
  }

  /// The rows with the system message of an arm's examples.
  func erased(_ rows: [TeachingRow], _ arm: ArmSettings, _ table: StrategyTable) throws -> [TeachingRow] {
    try PromptErasure(arm.erasure, message: recipe.student.system, strategies: table, seed: recipe.seed).run(rows)
  }

  /// Writes what an arm trains on, for people to read.
  private func keep(_ rows: [TeachingRow], as arm: String) throws {
    let path = folder.examples(arm)
    guard !FileManager.default.fileExists(atPath: path) else { return }
    try OutputTarget.makeFolder(folder.path + "/examples")
    try rows.filter { $0.dropped == nil }.write(to: path)
  }

  /// The folder of the run that an arm starts from: that of the same seed, or the first one.
  func start(of arm: ArmSettings, seed: Int) -> String? {
    guard let name = arm.start, let other = recipe.arms.first(where: { $0.name == name }),
      other.method != .untrained
    else { return nil }
    return folder.run(name, seed: other.seeds.contains(seed) ? seed : other.seeds.first ?? seed)
  }

  private func train(
    _ arm: ArmSettings, _ seed: Int, _ rows: [TeachingRow], _ follower: Follower
  ) throws -> ArmTrainingResult {
    // Rounds begin from the student as it is (RFT, STaR).
    let start = [.rft, .star].contains(arm.method) ? nil : start(of: arm, seed: seed)
    let training = ArmTraining(
      arm, student: recipe.student, seed: seed, recipeSeed: recipe.seed, folder: folder.run(arm.name, seed: seed),
      start: start)
    let result = try training.run(rows, isInterrupted: follower.isInterrupted) { event in
      follower.follow(event)
    }
    guard let result else { try follower.end() }
    if result.tooLong > 0 {
      follower.report(.note("\(arm.name): \(result.tooLong) examples are longer than the context and were left out"))
    }
    if result.incomplete > 0 {
      follower.report(
        .note("\(arm.name): \(result.incomplete) rows lack what \(arm.method.rawValue) needs and were left out"))
    }
    return result
  }

  /// Puts the questions of the tests to a student, and measures what it has unlearnt.
  private func examine(
    _ arm: ArmSettings, _ seed: Int, _ run: String?, _ digest: String, _ questions: [TeachingRow],
    _ table: StrategyTable, _ follower: Follower
  ) async throws {
    let asked = StudentEvaluation.questions(questions, recipe.evaluation).map { row in
      var row = row
      // The strategy that is taught for the question, with whose form the answer is compared.
      if recipe.strategies != nil, row.strategy == nil { row.strategy = table.cluster(of: row)?.strategy }
      return row
    }
    let loaded = try StudentFiles.load(recipe.student, trainedIn: run)
    var evaluation = StudentEvaluation(
      loaded, student: recipe.student, arm: arm, seed: seed, settings: recipe.evaluation, digest: digest)
    // Forms of answers are compared with strategies where the recipe teaches some.
    if recipe.strategies != nil { evaluation.strategies = table }
    _ = try await evaluation.run(asked, file: folder.evaluated(arm.name, seed: seed)) {
      try follower.tell("answers", $0, asked.count)
    }
    try await measureDamage(run == nil ? "untrained" : arm.name, seed, run, loaded, follower)
    if run != nil, !recipe.arms.contains(where: { $0.method == .untrained }) {
      try await measureDamage("untrained", 0, nil, nil, follower)
    }
  }

  private func measureDamage(
    _ name: String, _ seed: Int, _ run: String?, _ loaded: LoadedModel?, _ follower: Follower
  ) async throws {
    let settings = recipe.evaluation, path = folder.damage(name, seed: seed)
    guard settings.damageLimit > 0, !FileManager.default.fileExists(atPath: path) else { return }
    var tasks: [EvaluationTask] = []
    for task in try settings.damage.flatMap(EvaluationTask.named) {
      guard let data = evaluationData else {
        follower.report(.note("left out: \(task.name), whose data nobody has named"))
        continue
      }
      if let missing = task.missingData(in: data) {
        follower.report(.note("left out: \(missing.message)"))
      } else {
        tasks.append(task)
      }
    }
    let evaluation = DamageEvaluation(
      try loaded ?? StudentFiles.load(recipe.student, trainedIn: run), student: recipe.student, arm: name, seed: seed,
      tasks: tasks, limit: settings.damageLimit, data: evaluationData ?? "", instructions: try .shipped)
    let answers = try await evaluation.run(file: path) { try follower.tell("rows for damage", $0, $1) }
    try DamageEvaluation.write(answers, to: path, replaces: false)
  }
}
