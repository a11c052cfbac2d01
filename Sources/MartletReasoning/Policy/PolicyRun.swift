import Foundation
import MartletData
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTraining

/// A run that trains a policy, in a folder:
///
///     run.json          what the run was asked to do
///     metrics.jsonl     one line a step, and one a measurement on held-out questions
///     rollouts.jsonl    every answer that was written in a step, with its reward
///     report.html       curves
///     checkpoints/      the latest moments
///
/// A step depends on the settings, the questions, the parameters and its number alone, so a run that is resumed after any end has the
/// same parameters and the same lines, bit for bit, as one that was not interrupted.
public final class PolicyRun {
  /// An event of the run, for progress display.
  public enum Event: Sendable {
    /// A step was made: what it was, and the seconds of writing answers and of updating.
    case step(PolicyStepReport, writing: Double, updating: Double)
    /// Held-out questions were answered.
    case measurement(PolicyMeasurement)
    /// A checkpoint was written.
    case checkpoint(step: Int)
    /// The run was resumed after a step.
    case resumed(step: Int)
  }

  /// The path of the folder.
  public var folder: String { files.path }
  /// The trainer with the current policy.
  public private(set) var trainer: PolicyTrainer
  /// The measurements on held-out questions so far.
  public private(set) var measurements: [PolicyMeasurement] = []
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { files.damagedCheckpoints }
  private var files: RunFolder
  private let answers: AppendedFile
  private let questions: PolicyQuestions
  private let heldOut: PolicyQuestions?
  private let reward: AnswerReward
  private let rollouts: PolicyRollouts
  private let random: RandomSource

  /// What a checkpoint remembers beside parameters and moments.
  private struct State: Codable {
    var step, optimizerStep, metricsByteCount, rolloutsByteCount: Int
  }

  /// Begins a run, or resumes the run in `folder` from its latest readable checkpoint.
  ///
  /// - Parameters:
  ///   - folder: the folder of the run.
  ///   - trainer: the trainer before its first step.
  ///   - loaded: the model's tokenizer and chat format.
  ///   - questions: what is asked.
  ///   - heldOut: questions to measure with; nil for none.
  ///   - reward: what answers are worth.
  ///   - description: the contents of `run.json`.
  ///   - resuming: whether to resume the run in the folder.
  /// - Throws: ``TeachingError`` if the questions lack what the method needs, and what reading and writing the folder throws.
  public init(
    folder: String, trainer: PolicyTrainer, loaded: LoadedModel, questions: PolicyQuestions, heldOut: PolicyQuestions?,
    reward: AnswerReward, description: [String: Any], resuming: Bool
  ) throws {
    self.questions = questions
    self.heldOut = heldOut
    self.reward = reward
    rollouts = PolicyRollouts(
      loaded: loaded, stops: questions.prompt.stops, maxTokens: trainer.settings.maxTokens)
    random = RandomSource(seed: trainer.settings.seed)
    try Self.check(questions, heldOut, reward, trainer.settings)
    files = try RunFolder(folder, description: description, resuming: resuming)
    var restored = trainer, metricsByteCount = 0, rolloutsByteCount = 0
    if resuming, let state = try files.latest({ try Self.restore(&restored, from: $0) }) {
      metricsByteCount = state.metricsByteCount
      rolloutsByteCount = state.rolloutsByteCount
    }
    self.trainer = restored
    try files.begin(keeping: resuming ? metricsByteCount : nil)
    answers = try AppendedFile(path: folder + "/rollouts.jsonl", keeping: rolloutsByteCount)
    measurements = RunMetrics(folder: folder).lines.compactMap { PolicyMeasurement($0) }
  }

  private static func check(
    _ questions: PolicyQuestions, _ heldOut: PolicyQuestions?, _ reward: AnswerReward, _ settings: PolicySettings
  ) throws {
    for row in heldOut?.rows ?? [] { try reward.check(row) }
    for (index, row) in questions.rows.enumerated() {
      switch settings.method {
      case .grpo: try reward.check(row)
      case .dpo: if try questions.givenPair(index) == nil { try reward.check(row) }
      case .gkd: break
      }
    }
    if settings.method == .gkd, settings.ownShare < 1, let row = questions.rows.first(where: { $0.response == nil }) {
      throw TeachingError(
        "question \(row.id) has no \"response\", but a share of the texts shall be given ones; add it, or set the share of own texts to 1"
      )
    }
  }

  private static func restore(_ trainer: inout PolicyTrainer, from folder: String) throws -> State {
    let state = try RunCheckpoint.state(State.self, in: folder)
    guard
      [state.step, state.optimizerStep, state.metricsByteCount, state.rolloutsByteCount].allSatisfy({
        (0...1 << 48).contains($0)
      })
    else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let (parameters, optimizer) = try RunCheckpoint.tensors(
      in: folder, trainer.trainedParameters.map { (name: $0.name, shape: $0.value.shape) },
      settings: trainer.settings.optimizer, optimizerStep: state.optimizerStep)
    trainer.restore(parameters: parameters, optimizer: optimizer, step: state.step)
    return state
  }

  /// Runs to the end, or until `isInterrupted` returns true. A checkpoint is written in both cases.
  ///
  /// - Parameters:
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - report: a callback that is called with every event of the run.
  /// - Returns: whether the run is complete.
  /// - Throws: ``TeachingError`` if the loss has not been finite for several updates, and what the engine and the folder throw.
  public func run(isInterrupted: () -> Bool, report: (Event) throws -> Void) async throws -> Bool {
    let settings = trainer.settings
    if trainer.step > 0 { try report(.resumed(step: trainer.step)) }
    if trainer.step == 0 { try await measure(report) }
    while trainer.step < settings.steps {
      if isInterrupted() {
        try save()
        try report(.checkpoint(step: trainer.step))
        return false
      }
      try await makeStep(report)
      let isLast = trainer.step >= settings.steps
      if isLast || settings.validationInterval > 0 && trainer.step % settings.validationInterval == 0 {
        try await measure(report)
      }
      if isLast || trainer.step % max(1, settings.checkpointInterval) == 0 {
        try save()
        try report(.checkpoint(step: trainer.step))
        try files.writeReport(.policy)
      }
    }
    try files.writeReport(.policy)
    return true
  }

  private func save() throws {
    try files.synchronize()
    try answers.synchronize()
    try files.save(
      step: trainer.step, parameters: trainer.trainedParameters, optimizer: trainer.optimizer,
      state: State(
        step: trainer.step, optimizerStep: trainer.optimizer.step, metricsByteCount: files.metricsByteCount,
        rolloutsByteCount: answers.byteCount),
      kept: 2, best: nil)
  }

  // MARK: A step

  private func makeStep(_ report: (Event) throws -> Void) async throws {
    let settings = trainer.settings, step = trainer.step, started = Date()
    let asked = questions.asked(step: step, count: settings.questions)
    let given = try given(asked, step: step)
    let writing = asked.indices.filter { given[$0] == nil }
    let written = try await write(writing.map { asked[$0] }, step: step)
    let updating = Date()
    var result: PolicyStepReport
    switch settings.method {
    case .grpo: result = try trainer.train(groups: written)
    case .dpo: result = try trainer.train(pairs: given.flatMap { $0?.pair.map { [$0] } ?? [] } + written.flatMap(pairs))
    case .gkd:
      result = try trainer.train(
        distilling: given.compactMap { $0?.text } + written.flatMap { $0.map { ($0.prompt, $0.completion) } })
    }
    let all = written.flatMap { $0 }
    if !all.isEmpty {
      let count = Double(all.count)
      if questions.rows[asked[writing[0]]].answer != nil {
        result.reward = all.reduce(0) { $0 + $1.reward } / count
        result.correctShare = Double(all.count { $0.isCorrect }) / count
      }
      result.completeShare = Double(all.count { $0.isComplete }) / count
    }
    try files.append(result.metrics)
    try report(
      .step(result, writing: updating.timeIntervalSince(started), updating: Date().timeIntervalSince(updating)))
  }

  /// What comes with a question and is learnt from in place of answers of the policy.
  private enum Given {
    case pair(PolicyPair)
    case text(prompt: [Int], completion: [Int])

    var pair: PolicyPair? { if case .pair(let pair) = self { pair } else { nil } }
    var text: (prompt: [Int], completion: [Int])? {
      if case .text(let prompt, let completion) = self { (prompt, completion) } else { nil }
    }
  }

  private func given(_ asked: [Int], step: Int) throws -> [Given?] {
    let settings = trainer.settings, draws = random.stream("own answers").stream(step)
    return try asked.enumerated().map { place, index in
      switch settings.method {
      case .grpo: return nil
      case .dpo: return try questions.givenPair(index).map { .pair($0) }
      case .gkd:
        guard draws.uniform(place) >= settings.ownShare, let text = questions.rows[index].response else { return nil }
        let (prompt, completion) = try questions.completion(index, text)
        return .text(prompt: prompt, completion: completion)
      }
    }
  }

  /// Answers of the policy to questions, with their rewards, which are kept in the folder.
  private func write(_ asked: [Int], step: Int) async throws -> [[PolicyAnswer]] {
    guard !asked.isEmpty else { return [] }
    let settings = trainer.settings, seeds = random.stream("answers").stream(step)
    let prompts = asked.enumerated().flatMap { place, index in
      (0..<settings.samples).map { sample in
        (tokens: questions.tokens(index), seed: seeds.bits(place * settings.samples + sample))
      }
    }
    let flat = try await rollouts.answers(prompts, by: trainer.model, temperature: settings.temperature)
    var lines: [UInt8] = []
    let groups = try asked.enumerated().map { place, index in
      let row = questions.rows[index]
      return try (0..<settings.samples).map { sample in
        var answer = flat[place * settings.samples + sample]
        if row.answer != nil { try reward.judge(&answer, to: row) }
        lines += Array((line(answer, to: row, step: step + 1, sample: sample).text + "\n").utf8)
        return answer
      }
    }
    try answers.append(lines)
    return groups
  }

  private func line(_ answer: PolicyAnswer, to row: TeachingRow, step: Int, sample: Int) -> JSONValue {
    var object = JSONObject()
    object.append("step", .integer(step))
    object.append("id", .string(row.id))
    object.append("question", .string(row.question))
    if let right = row.answer { object.append("answer", .string(right)) }
    object.append("sample", .integer(sample))
    object.append("response", .string(answer.text))
    if let extracted = answer.extracted { object.append("extracted", .string(extracted)) }
    if row.answer != nil {
      object.append("correct", .bool(answer.isCorrect))
      object.append("reward", .number(answer.reward))
    }
    object.append("prompt_tokens", .integer(answer.prompt.count))
    object.append("completion_tokens", .integer(answer.completion.count))
    return .object(object)
  }

  /// Pairs of a right and a wrong answer to one question, each answer in at most one.
  private func pairs(_ group: [PolicyAnswer]) -> [PolicyPair] {
    let written = group.filter { !$0.completion.isEmpty }
    return zip(written.filter(\.isCorrect), written.filter { !$0.isCorrect }).map {
      PolicyPair(prompt: $0.prompt, chosen: $0.completion, rejected: $1.completion)
    }
  }

  // MARK: Measuring

  /// Answers the held-out questions.
  private func measure(_ report: (Event) throws -> Void) async throws {
    guard let heldOut else { return }
    let seeds = random.stream("held out")
    let prompts = heldOut.rows.indices.map { (tokens: heldOut.tokens($0), seed: seeds.bits($0)) }
    func judged(_ temperature: Double) async throws -> [PolicyAnswer] {
      let answers = try await rollouts.answers(prompts, by: trainer.model, temperature: temperature)
      return try zip(answers, heldOut.rows).map { answer, row in
        var answer = answer
        try reward.judge(&answer, to: row)
        return answer
      }
    }
    let greedy = try await judged(0), sampled = try await judged(trainer.settings.temperature)
    let measurement = PolicyMeasurement(
      step: trainer.step, questions: heldOut.rows.count, correct: greedy.count { $0.isCorrect },
      sampledCorrect: sampled.count { $0.isCorrect },
      reward: sampled.reduce(0) { $0 + $1.reward } / Double(max(1, sampled.count)))
    measurements.append(measurement)
    try files.append(measurement.metrics)
    try report(.measurement(measurement))
  }
}
