import Foundation
import MartletData
import MartletEvaluation
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import MartletTraining
import Testing

@testable import MartletReasoning

/// Policies of a small random model over bytes, trained by each method.
struct PolicyRunTests {
  private let scratch: TestData.Scratch
  private let model: any TrainableModel
  private let loaded: LoadedModel

  init() throws {
    scratch = try TestData.Scratch()
    var model: any TrainableModel = RWKV5(
      RWKV5Configuration(layers: 2, width: 32, headSize: 16, vocabularySize: 256), random: RandomSource(seed: 2))
    try AdapterSettings(rank: 4).attach(to: &model, random: RandomSource(seed: 3))
    self.model = model
    loaded = LoadedModel(model: model, tokenizer: try TokenizerLoading.open("bytes"), chatFormat: ChatFormat(.plain))
  }

  /// Questions whose answer is any number behind `####`: nothing that the random model writes.
  private func questions(_ count: Int, response: String? = nil, pair: Bool = false) throws -> PolicyQuestions {
    let rows = (0..<count).map { number in
      var row = TeachingRow(
        id: "q\(number)", task: "t", split: "train", question: "\(number)?", answer: "#### \(number)")
      row.rule = "gsm8k-strict"
      row.response = response
      if pair {
        row.others["chosen"] = .string("abc")
        row.others["rejected"] = .string("xyz")
      }
      return row
    }
    return try PolicyQuestions(rows, prompt: StudentPrompt(loaded, isChat: false), seed: 1)
  }

  private func settings(_ method: PolicySettings.Method, steps: Int = 6) -> PolicySettings {
    var settings = PolicySettings(
      method: method, optimizer: OptimizerSettings(learningRate: 1e-2),
      schedule: LearningRateSchedule(shape: .constant, warmup: 0, final: 1, steps: steps), steps: steps)
    (settings.questions, settings.samples, settings.maxTokens) = (3, 4, 6)
    settings.adapters = AdapterSettings(rank: 4)
    settings.checkpointInterval = 2
    settings.validationInterval = 4
    return settings
  }

  private func run(
    _ name: String, _ settings: PolicySettings, _ questions: PolicyQuestions, heldOut: PolicyQuestions? = nil,
    until stop: Int? = nil, resuming: Bool = false
  ) async throws -> (run: PolicyRun, steps: [PolicyStepReport]) {
    let teacher = settings.method == .gkd ? try self.teacher() : nil
    let run = try PolicyRun(
      folder: scratch.file(name), trainer: PolicyTrainer(model, settings: settings, teacher: teacher), loaded: loaded,
      questions: questions, heldOut: heldOut, reward: AnswerReward(), description: ["x": 1], resuming: resuming)
    var steps: [PolicyStepReport] = []
    _ = try await run.run(isInterrupted: { stop.map { run.trainer.step >= $0 } ?? false }) { event in
      if case .step(let report, _, _) = event { steps.append(report) }
    }
    return (run, steps)
  }

  private func teacher() throws -> any TrainableModel {
    RWKV5(RWKV5Configuration(layers: 1, width: 32, headSize: 16, vocabularySize: 256), random: RandomSource(seed: 8))
  }

  /// The same parameters, metrics and answers, wherever a run was interrupted.
  @Test(arguments: PolicySettings.Method.allCases) func aResumedRunHasTheSameBits(method: PolicySettings.Method)
    async throws
  {
    var settings = settings(method)
    settings.ownShare = 0.5
    settings.groupRelative.klWeight = 0.1
    settings.updates = 2
    let questions = try questions(5, response: "abc", pair: method == .dpo), heldOut = try self.questions(3)
    let whole = try await run("whole", settings, questions, heldOut: heldOut).run
    _ = try await run("parts", settings, questions, heldOut: heldOut, until: 3)
    _ = try await run("parts", settings, questions, heldOut: heldOut, until: 5, resuming: true)
    let parts = try await run("parts", settings, questions, heldOut: heldOut, resuming: true).run
    #expect(parts.trainer.step == 6 && parts.measurements.map(\.step) == [0, 4, 6])
    for (a, b) in zip(whole.trainer.trainedParameters, parts.trainer.trainedParameters) {
      #expect(a.name == b.name && a.value.values == b.value.values)
    }
    for file in ["metrics.jsonl", "rollouts.jsonl"] {
      let contents = try ["whole", "parts"].map {
        try Data(contentsOf: URL(fileURLWithPath: scratch.file("\($0)/\(file)")))
      }
      #expect(contents[0] == contents[1] && (method == .dpo || !contents[0].isEmpty), "\(file)")
    }
    #expect(try String(contentsOfFile: scratch.file("parts/report.html"), encoding: .utf8).contains("<svg"))
  }

  /// Of two given answers the better one becomes likelier than the worse one.
  @Test func preferencesAreLearnt() async throws {
    let steps = try await run("pairs", settings(.dpo, steps: 30), questions(5, pair: true)).steps
    #expect(steps.count == 30 && abs(steps[0].loss - log(2)) < 1e-6)
    #expect(steps[29].loss < 0.3 && steps[29].rankedShare == 1)
  }

  /// The student comes near to the teacher on its own texts.
  @Test(arguments: [0, 0.5, 1]) func distillationComesNearToTheTeacher(beta: Double) async throws {
    var settings = settings(.gkd, steps: 40)
    settings.distillation = DistillationObjective(beta: beta)
    settings.adapters = nil  // a random head says too little for adapters below it
    let steps = try await run("gkd", settings, questions(5)).steps
    #expect(steps.count == 40 && steps[0].loss > 0)
    #expect(steps[39].loss < steps[0].loss * 0.8, "\(steps[0].loss) before, \(steps[39].loss) after")
  }

  /// What is rewarded becomes likelier: here texts with many letters a, by groups that are given.
  @Test(arguments: GroupRelativeObjective.Normalization.allCases)
  func rewardsRise(normalization: GroupRelativeObjective.Normalization) async throws {
    var settings = settings(.grpo, steps: 40)
    settings.adapters = nil
    settings.groupRelative = GroupRelativeObjective(
      normalization: normalization, dividesByDeviation: normalization != .constant)
    var trainer = try PolicyTrainer(model, settings: settings)
    let rollouts = PolicyRollouts(loaded: loaded, stops: [], maxTokens: 6)
    var rewards: [Double] = []
    for step in 0..<40 {
      let prompts = (0..<16).map { (tokens: [81, 58, 32], seed: UInt64(step * 16 + $0)) }
      var answers = try await rollouts.answers(prompts, by: trainer.model, temperature: 1)
      for index in answers.indices {
        let tokens = answers[index].completion
        answers[index].reward = Double(tokens.count { $0 < 128 }) / Double(max(1, tokens.count))
      }
      rewards.append(answers.reduce(0) { $0 + $1.reward } / 16)
      _ = try trainer.train(groups: [answers])
    }
    let (before, after) = (rewards.prefix(5).reduce(0, +) / 5, rewards.suffix(5).reduce(0, +) / 5)
    #expect(after > before + 0.2, "\(before) before, \(after) after")
  }

  /// The ratio of the first update is 1, so it is that of the policy gradient: the mean over tokens of the negative advantage.
  @Test func theFirstUpdateIsThatOfThePolicyGradient() throws {
    var trainer = try PolicyTrainer(model, settings: settings(.grpo))
    func answer(_ completion: [Int], _ reward: Double) -> PolicyAnswer {
      PolicyAnswer(prompt: [1, 2], completion: completion, text: "", isComplete: true, reward: reward)
    }
    let report = try trainer.train(groups: [
      [answer([5], 1), answer([6, 7, 8], 0)], [answer([9], 1), answer([9], 1)],
    ])
    // Advantages of 1 and 0: ±0.5 / (sqrt(0.5) + 1e-4); the second group has none.
    let advantage = 0.5 / (0.5.squareRoot() + 1e-4)
    #expect(abs(report.loss - (3 * advantage - advantage) / 6) < 1e-6)
    #expect(report.completions == 2 && report.tokens == 4 && !report.isSkipped && report.gradientNorm > 0)
    let idle = try trainer.train(groups: [[answer([5], 1), answer([6], 1)]])
    #expect(idle.isSkipped && idle.completions == 0 && idle.step == 2)
  }

  @Test func questionsAreAskedOnceInEachEpoch() throws {
    let questions = try questions(7)
    let asked = (0..<7).flatMap { questions.asked(step: $0, count: 3) }
    for epoch in 0..<3 { #expect(Set(asked[epoch * 7..<epoch * 7 + 7]) == Set(0..<7)) }
    #expect(Array(asked[0..<7]) != Array(asked[7..<14]))
  }

  @Test func whatIsMissingIsSaid() throws {
    func problem(_ settings: PolicySettings, _ questions: PolicyQuestions) -> String {
      do {
        _ = try PolicyRun(
          folder: scratch.file("x"), trainer: PolicyTrainer(model, settings: settings), loaded: loaded,
          questions: questions, heldOut: nil, reward: AnswerReward(), description: [:], resuming: false)
        return "nothing"
      } catch { return "\(error)" }
    }
    let prompt = StudentPrompt(loaded, isChat: false)
    let bare = TeachingRow(id: "a", task: "t", split: "train", question: "?")
    var answered = bare
    answered.answer = "1"
    var ruled = bare
    ruled.rule = "gsm8k-strict"
    #expect(problem(settings(.grpo), try PolicyQuestions([answered], prompt: prompt, seed: 1)).contains("\"rule\""))
    #expect(problem(settings(.grpo), try PolicyQuestions([ruled], prompt: prompt, seed: 1)).contains("\"answer\""))
    #expect(problem(settings(.gkd), try PolicyQuestions([ruled], prompt: prompt, seed: 1)).contains("teacher"))
    #expect(throws: TeachingError.self) { try PolicyQuestions([], prompt: prompt, seed: 1) }
    let other = RWKV5(
      RWKV5Configuration(layers: 1, width: 32, headSize: 16, vocabularySize: 300), random: RandomSource(seed: 8))
    #expect(throws: TeachingError.self) { try PolicyTrainer(model, settings: settings(.gkd), teacher: other) }
  }
}
