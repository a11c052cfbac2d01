import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTraining

/// Carries out a whole recipe in a folder, stage after stage: questions, strategies, responses of the teacher, checks, selection, the runs
/// of all arms, their answers, damage, and the report.
///
///     let run = try TeachingRun(Recipe.read("recipe.json"), folder: "coin-flips") { try EndpointTeacher($0, key: nil) }
///     let report = try await run.run()
///
/// A stage whose file is complete is not repeated, and one that was ended at any moment goes on, so that the same recipe in the same folder
/// comes to the same report, whatever happened between.
public struct TeachingRun: Sendable {
  /// What happens.
  public enum Event: Sendable {
    /// A stage begins: its number, counted from 1, of how many, and what it does.
    case stage(Int, of: Int, name: String)
    /// The stage goes on: what is counted, how many are done and of how many.
    case progress(unit: String, done: Int, of: Int)
    /// A step of training was made: its number and loss, the tokens a second, and the seconds that are left.
    case step(Int, loss: Double, rowsPerSecond: Double, secondsLeft: Double)
    /// Something was left out, or is to be known.
    case note(String)
  }

  /// What ends a run that was interrupted.
  private struct Interrupted: Error {}

  /// The recipe.
  public let recipe: Recipe
  /// The files.
  public let folder: TeachingFolder
  /// Where files of questions with relative names are looked for.
  public var dataFolders: [String] = []
  /// The folder of the data of the tasks that show damage; nil leaves these tasks out.
  public var evaluationData: String?
  /// Opens a teacher.
  let open: @Sendable (TeacherSettings) throws -> any Teacher

  /// A run of a recipe.
  /// - Parameters:
  ///   - recipe: what is carried out.
  ///   - folder: the folder of its files, which need not be there.
  ///   - open: opens a teacher, a model here or at an endpoint; also a student that is asked as a teacher is.
  public init(_ recipe: Recipe, folder: String, open: @escaping @Sendable (TeacherSettings) throws -> any Teacher) {
    self.recipe = recipe
    self.folder = TeachingFolder(folder)
    self.open = open
  }

  /// The number of stages.
  public var stageCount: Int { 5 + recipe.arms.reduce(0) { $0 + seeds(of: $1).count } + 1 }

  /// Carries out what is not done.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked again and again; true ends the run in order.
  ///   - report: called with each event.
  /// - Returns: the report, which is also written to the folder; nil where the run was interrupted.
  /// - Throws: `FileError` where the folder holds another recipe or a damaged file, and what the stages throw; the work so far is kept.
  public func run(
    isInterrupted: @escaping @Sendable () -> Bool = { false }, report: @escaping @Sendable (Event) -> Void = { _ in }
  ) async throws -> TeachingReport? {
    let progress = Follower(isInterrupted: isInterrupted, report: report, count: stageCount)
    do {
      try checkWhatLaterStagesNeed()
      try keepRecipe()
      let questions = try questions(progress)
      try checkTests(questions)
      let table = try await strategies(questions, progress)
      let selected = try await selected(questions, table, progress)
      for arm in recipe.arms where arm.method != .untrained { _ = try erased(selected, arm, table) }
      for arm in recipe.arms { try await carryOut(arm, selected, questions, table, progress) }
      return try await finalReport(selected, table, progress)
    } catch is Interrupted {
      return nil
    }
  }

  /// Tells what happens, and ends the run where it was interrupted.
  final class Follower: @unchecked Sendable {
    let isInterrupted: @Sendable () -> Bool
    let report: @Sendable (Event) -> Void
    private let count: Int
    // Only the task of the run calls it.
    private var number = 0

    init(isInterrupted: @escaping @Sendable () -> Bool, report: @escaping @Sendable (Event) -> Void, count: Int) {
      self.isInterrupted = isInterrupted
      self.report = report
      self.count = count
    }

    func begin(_ name: String) throws {
      number += 1
      report(.stage(number, of: count, name: name))
      try check()
    }

    func tell(_ unit: String, _ done: Int, _ total: Int) throws {
      report(.progress(unit: unit, done: done, of: total))
      try check()
    }

    func follow(_ event: TrainingRun.Event) {
      switch event {
      case .step(let step, let rate, let left):
        report(.step(step.step, loss: step.loss, rowsPerSecond: rate, secondsLeft: left))
      default: break
      }
    }

    func check() throws { if isInterrupted() { throw Interrupted() } }

    /// For stages that save and end by themselves.
    func end() throws -> Never { throw Interrupted() }
  }

  // MARK: What all arms share

  /// Finds what is missing before anything is asked or trained, rather than hours later.
  private func checkWhatLaterStagesNeed() throws {
    _ = try ModelLibrary().open(recipe.student.model)
    if recipe.arms.contains(where: { $0.method == .gkd }), let teacher = recipe.teacher {
      _ = try ModelLibrary().open(teacher.model)
    }
    if recipe.evaluation.damageLimit > 0 { _ = try recipe.evaluation.damage.flatMap(EvaluationTask.named) }
    if !FileManager.default.fileExists(atPath: folder.selected) {
      for mixture in recipe.selection.mixture { _ = try reader.rows(of: mixture.source) }
    }
  }

  /// Every split that is examined must have questions, with answers.
  private func checkTests(_ questions: [TeachingRow]) throws {
    for split in recipe.evaluation.splits where !questions.contains(where: { $0.split == split }) {
      let splits = Set(questions.map(\.split)).sorted().joined(separator: ", ")
      throw TeachingError(
        "`evaluation.splits` names \(split.printable), of which there is no question; there are \(splits.printable)")
    }
    if let row = StudentEvaluation.questions(questions, recipe.evaluation).first(where: { $0.answer == nil }) {
      throw TeachingError(
        "question \(row.id.printable) of the split \(row.split.printable) has no answer, so no answer to it can be judged; add one"
      )
    }
  }

  private func keepRecipe() throws {
    try OutputTarget.makeFolder(folder.path)
    let bytes = Array(recipe.source.utf8)
    if let before = FileManager.default.contents(atPath: folder.recipe) {
      guard Array(before) == bytes else {
        throw FileError(
          file: folder.recipe,
          "the folder holds the run of another recipe; name another folder with --out, or remove it")
      }
    } else {
      try AtomicFile.write(bytes, to: folder.recipe)
    }
  }

  private var reader: QuestionReader { QuestionReader(folders: dataFolders, seed: recipe.seed) }

  /// The rows of a file of the folder, or those of `make`, which are written to it.
  private func rows(_ path: String, _ make: () async throws -> [TeachingRow]) async throws -> [TeachingRow] {
    if FileManager.default.fileExists(atPath: path) { return try JSONLines.read(path).map { try TeachingRow($0) } }
    let rows = try await make()
    try rows.write(to: path)
    return rows
  }

  private func questions(_ follower: Follower) throws -> [TeachingRow] {
    try follower.begin("questions")
    if FileManager.default.fileExists(atPath: folder.questions) {
      return try JSONLines.read(folder.questions).map { try TeachingRow($0) }
    }
    let found = try reader.rows(of: recipe.questions)
    try found.write(to: folder.questions)
    return found
  }

  private func strategies(_ questions: [TeachingRow], _ follower: Follower) async throws -> StrategyTable {
    try follower.begin("strategies")
    if FileManager.default.fileExists(atPath: folder.strategies) { return try StrategyTable.read(folder.strategies) }
    let table = try recipe.strategies?.file.map { try StrategyTable.read(reader.path(of: $0)) } ?? .shipped
    guard let settings = recipe.strategies else { return table }
    var measurement = try StrategyMeasurement(table, settings: settings, seed: recipe.seed)
    var models: [(judge: StrategySettings.Judge, model: any Teacher)] = []
    if !table.clusters.allSatisfy({ settings.fixed[$0.name] != nil || !$0.contains(anyOf: questions) }) {
      var student = TeacherSettings(model: recipe.student.model)
      student.isChat = recipe.student.isChat
      models.append((.student, try open(student)))
      if let teacher = recipe.teacher { models.append((.teacher, try open(teacher))) }
      let cache = try AnswerCache(folder.strategies + ".answers")
      try await measurement.run(questions, models: models, cache: cache) { try follower.tell("answers", $0, $1) }
    } else {
      measurement.fix()
    }
    try AtomicFile.write(Array(measurement.json.indentedText.utf8), to: folder.strategies)
    return measurement.table
  }

  /// What is learnt from, after all checks; the questions themselves where nobody has answered any.
  private func selected(
    _ questions: [TeachingRow], _ table: StrategyTable, _ follower: Follower
  ) async throws -> [TeachingRow] {
    try follower.begin("responses of the teacher")
    let asked = questions.filter { $0.split == "train" }
    guard !asked.isEmpty else {
      throw TeachingError("the recipe has no question of the split train, so there is nothing to learn from; add some")
    }
    let responses = try await rows(folder.generated) { try await generated(asked, table, follower) }
    try follower.begin("checks")
    let checked = try await rows(folder.checked) { try AnswerCheck().checked(responses) }
    try follower.begin("selection")
    guard checked.contains(where: { $0.response != nil }) else { return checked }
    return try await rows(folder.selected) {
      let mixtures = try recipe.selection.mixture.map { try reader.rows(of: $0.source) }
      let (selected, summary) = try Selection(recipe.selection, seed: recipe.seed).run(checked, mixtures: mixtures)
      follower.report(.note("\(summary.selected) of \(summary.count) responses are learnt from"))
      return selected
    }
  }

  private func generated(
    _ asked: [TeachingRow], _ table: StrategyTable, _ follower: Follower
  ) async throws -> [TeachingRow] {
    var asked = asked
    // Without a teacher, a response that came with its question stands for the strategy of its cluster, and a direct answer is the answer.
    if recipe.generation.prompt == .strategy, recipe.teacher == nil {
      for place in asked.indices where asked[place].strategy == nil {
        let strategy = try table.strategy(for: asked[place])
        // The teacher's text is then not learnt from, whatever was wrong with it.
        if strategy.id == "direct" {
          (asked[place].response, asked[place].dropped) = (asked[place].answerSentence, nil)
        }
        asked[place].strategy = strategy.id
        asked[place].system = table.system(strategy, endsWithAnswer: asked[place].rule != nil)
      }
    }
    let isOpen = asked.contains { $0.response == nil }
    guard isOpen, let settings = recipe.teacher else { return asked }
    let examples =
      recipe.generation.prompt == .fewShot
      ? try WorkedExamples(reader.path(of: recipe.generation.exemplars ?? "cot_exemplars/wei_fewshot_cot.json"))
      : WorkedExamples()
    let prompt = try TeacherPrompt(recipe.generation, examples: examples, strategies: table, seed: recipe.seed)
    let cache = try AnswerCache(folder.generated + ".answers")
    return try await Self.generate(
      Generation(prompt, seed: recipe.seed), asked, try open(settings), cache, follower)
  }

  static func generate(
    _ generation: Generation, _ rows: [TeachingRow], _ teacher: some Teacher, _ cache: AnswerCache,
    _ follower: Follower
  ) async throws -> [TeachingRow] {
    try await generation.run(rows, teacher: teacher, cache: cache) { try follower.tell("answers", $0, $1) }.rows
  }

  // MARK: The report

  private func finalReport(
    _ selected: [TeachingRow], _ table: StrategyTable, _ follower: Follower
  ) async throws -> TeachingReport {
    try follower.begin("report")
    var answers: [[StudentAnswer]] = [], damage: [[StudentAnswer]] = [], training: [ArmTrainingResult] = []
    func read(_ path: String) throws -> [StudentAnswer] { try JSONLines.read(path).map { try StudentAnswer($0) } }
    let untouched = folder.damage("untrained", seed: 0)
    if FileManager.default.fileExists(atPath: untouched) { damage.append(try read(untouched)) }
    for arm in recipe.arms {
      for seed in seeds(of: arm) {
        answers.append(try read(folder.evaluated(arm.name, seed: seed)))
        if let done = try ArmTrainingResult.read(folder.run(arm.name, seed: seed)) { training.append(done) }
        let path = folder.damage(arm.name, seed: seed)
        if arm.method != .untrained, FileManager.default.fileExists(atPath: path) { damage.append(try read(path)) }
      }
    }
    let responses =
      FileManager.default.fileExists(atPath: folder.generated)
      ? try JSONLines.read(folder.generated).map { try TeachingRow($0) } : []
    let price = recipe.teacher.flatMap { teacher in
      teacher.promptPrice.flatMap { prompt in teacher.completionPrice.map { (prompt: prompt, completion: $0) } }
    }
    let report = try TeachingReport(
      answers, training: training,
      damage: damage.count > 1 ? TeachingDamage(damage, untouched: "untrained") : nil,
      cost: TeachingCost(training: training, responses: responses, price: price),
      taught: recipe.strategies == nil ? [] : selected.filter { $0.response != nil },
      strategies: recipe.strategies == nil ? nil : table)
    try AtomicFile.write(Array((report.json.text + "\n").utf8), to: folder.report, replaces: true)
    try AtomicFile.write(
      TeachingPage(report, title: recipe.name, about: recipe.about).html.utf8, to: folder.page, replaces: true)
    return report
  }
}

extension StrategyTable.Cluster {
  /// Whether one of the questions belongs to the cluster.
  func contains(anyOf rows: [TeachingRow]) -> Bool { rows.contains(where: contains) }
}
