import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletEvaluation
import MartletModels
import MartletOptimization
import MartletReasoning
import MartletTensor
import MartletTokenizers
import MartletTraining

extension PolicySettings.Method: ExpressibleByArgument {}
extension GroupRelativeObjective.Normalization: ExpressibleByArgument {}

struct TeachPolicy: AsyncParsableCommand, RunCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract:
      "Trains a model on its own answers: rewards (GRPO), preferences (DPO) or a teacher's probabilities (GKD).",
    discussion: """
      In each step the model writes answers to some questions with the parameters of that step; then it learns from them.
      --method grpo rewards several answers to each question by the rule of the question, and makes those more likely that \
      are better than the others. --method dpo prefers a right answer to a wrong one, or the "chosen" answer of a row to its \
      "rejected" one. --method gkd approaches the probabilities of a larger model of the same family (--teacher) on what the \
      model itself writes; a row's "response" is used for the share that is left.

      --data and --held-out are questions as JSON lines in any form that the stages of teaching read (question, answer and \
      rule). Begin from a model that has learnt the form of the answers: give the adapter of a fine-tuning with --adapter. \
      The result is OUT/adapter_model.safetensors in PEFT's format; OUT/rollouts.jsonl has every answer with its reward, \
      OUT/report.html the curves. Ctrl-C saves; `martlet teach policy --resume OUT` goes on.

      Example: martlet teach policy SmolLM2-135M-Instruct.Q4_1 --adapter tuned --method grpo --data arithmetic.jsonl \
      --held-out held-out.jsonl --out better
      """)

  @Argument(help: "Path or name of the model; `box` is the built-in model (default with --resume DIR: the run's).")
  var model: String?
  @Option(help: "What is learnt from: grpo, dpo or gkd.") var method = PolicySettings.Method.grpo
  @Option(help: "Questions to learn from, as JSON lines.") var data: String?
  @Option(help: "Questions to measure with before, between and after, as JSON lines.") var heldOut: String?
  @Option(help: "Split of --data that is used, where it has several (default: all).") var split: String?
  @Option(help: "Split of --held-out that is used, where it has several (default: all).") var heldOutSplit: String?
  @Option(help: "Folder of the run for checkpoints, metrics, rollouts, report.html and the adapter.") var out: String?
  @Option(
    defaultAsFlag: "", parsing: .next, help: "Resume the run in this folder (default: --out) with its own options.")
  var resume: String?
  @Option(help: "Folder of an adapter (in PEFT's format) to begin from; its ranks and scales are kept.")
  var adapter: String?
  @Option(help: "Model whose probabilities --method gkd approaches.") var teacher: String?
  @Option(
    help: "Round the frozen weights to this format while loading (f32, f16, bf16, q8_0, q6_k, q5_k, q4_k, q4_1, q4_0).")
  var format: WeightFormat?
  @Option(help: "Tokenizer (default: the model's own).") var tokenizer: String?
  @Flag(help: "Put questions as plain text (Q: … A:) instead of messages of the model's chat template.") var plain =
    false
  @Option(help: "Rule of answers for questions that name none, e.g. number or gsm8k-strict.") var rule: String?

  @Option(help: "Number of steps.") var steps = 100
  @Option(help: "Number of questions of a step.") var questions = 8
  @Option(help: "Number of answers to each question (default: 8; 1 for gkd).") var samples: Int?
  @Option(help: "Temperature at which answers are written.") var temperature = 1.0
  @Option(help: "Maximum number of tokens of an answer.") var maxTokens = 64
  @Option(help: "Number of updates from the answers of a step.") var updates = 1
  @Option(name: [.long, .customLong("lr")], help: "Peak learning rate.") var learningRate: Double?
  @Option(help: "Learning rate schedule: constant, linear, cosine or exponential.")
  var schedule = LearningRateSchedule.Shape.constant
  @Option(help: "Number of warm-up steps of the learning rate.") var warmup = 0
  @Option(help: "Maximum global norm of the gradients; 0 disables clipping.") var clip = 1.0
  @Option(help: "Rank of new adapters.") var rank = 16
  @Option(help: "Alpha of new adapters; their scale is alpha / rank.") var alpha = 32.0

  @Option(help: "grpo: how losses of tokens are made one: sequence (the paper's), token (DAPO) or constant (Dr. GRPO).")
  var normalization = GroupRelativeObjective.Normalization.token
  @Flag(inversion: .prefixedNo, help: "grpo: whether rewards are divided by their deviation in the group.")
  var divideByDeviation = true
  @Option(help: "grpo: how far below 1 the ratio of probabilities has an effect.") var clipLow = 0.2
  @Option(help: "grpo: how far above 1 the ratio of probabilities has an effect.") var clipHigh = 0.2
  @Option(help: "grpo: weight of the divergence from the model at the start.") var klWeight = 0.0
  @Option(help: "grpo: reward of a wrong answer in the right form; a right one has 1.") var formReward = 0.0
  @Option(help: "dpo: strength of the pull to the model at the start.") var dpoBeta = 0.1
  @Option(help: "dpo: probability that a pair is labelled the wrong way round.") var labelSmoothing = 0.0
  @Option(help: "gkd: from 0 (forward divergence) to 1 (reverse divergence).") var gkdBeta = 0.5
  @Option(help: "gkd: share of the texts that the model writes itself; others are the rows' responses.") var ownShare =
    1.0

  @Option(help: "Number of steps between measurements on --held-out; 0 measures before and after alone.")
  var measureEvery = 0
  @Option(help: "Number of steps between checkpoints.") var checkpointEvery = 10
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object for each step.") var json = false

  func validate() throws {
    for (name, value, range) in [
      ("--steps", steps, 1...1_000_000_000), ("--questions", questions, 1...65_536),
      ("--samples", samples ?? 1, 1...4096),
      ("--max-tokens", maxTokens, 1...1_048_576), ("--updates", updates, 1...1000),
      ("--warmup", warmup, 0...1_000_000_000),
      ("--rank", rank, 1...4096), ("--measure-every", measureEvery, 0...1_000_000_000),
      ("--checkpoint-every", checkpointEvery, 1...1_000_000_000), ("--threads", threads ?? 1, 1...64),
    ] where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
    for (name, value) in [
      ("--clip-low", clipLow), ("--form-reward", formReward), ("--gkd-beta", gkdBeta), ("--own-share", ownShare),
    ] where !(0...1).contains(value) {
      throw ValidationError("\(name) must be from 0 to 1")
    }
    for (name, value) in [("--clip", clip), ("--clip-high", clipHigh), ("--kl-weight", klWeight)]
    where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(name) must be a number of at least 0")
    }
    for (name, value) in [
      ("--temperature", temperature), ("--learning-rate", learningRate ?? 1), ("--alpha", alpha),
      ("--dpo-beta", dpoBeta),
    ] where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) must be above 0")
    }
    if !(0..<0.5).contains(labelSmoothing) { throw ValidationError("--label-smoothing must be from 0 to below 0.5") }
    if method == .grpo, samples == 1 {
      throw ValidationError("--method grpo compares answers to one question; --samples must be at least 2")
    }
    if method != .gkd, teacher != nil { throw ValidationError("--teacher needs --method gkd") }
    try checkNeeds(["<model>": model != nil, "--data <data>": data != nil, "--out <out>": out != nil])
    if method == .gkd, teacher == nil, resume?.isEmpty ?? true, !goesOnAsBegun {
      throw ValidationError("--method gkd needs --teacher")
    }
  }

  static let path = ["teach", "policy"]
  static let freeOptions: Set<String> = [
    "out", "resume", "json", "threads", "model", "data", "held-out", "adapter", "teacher", "checkpoint-every",
  ]
  var isShowing: Bool { false }
  var momentaryFlags: [String] { [] }
  var goesOnAsBegun: Bool { resume == "" && data == nil && out != nil }
  var results: [String] { ["adapter_model.safetensors", "adapter_config.json", "rollouts.jsonl"] }
  private var folder: String { out ?? "" }

  func run() async throws {
    let (command, record) = try RunRecord.resolve(self)
    DeviceVariable.remarkOfTraining()
    try await command.train(record)
  }

  private func train(_ record: RunRecord?) async throws {
    if let threads { Parallel.width = threads }
    let checkpoint = try ModelLibrary().open(model ?? "")
    let progress = Progress("loading")
    var loading = LoadedModel.Options(format: format, tokenizer: tokenizer)
    loading.progress = { done, total in progress.update(done, of: total) }
    loading.note = { Terminal.note("Note: \($0)") }
    var policy = try ModelLoading.loadTrainable(checkpoint, options: loading, frozen: true)
    progress.finish()
    let parts = try LoadedModel(model: policy, checkpoint: checkpoint, options: loading)
    var settings = settings
    if let adapter {
      let found = try AdapterFile.load(adapter, into: &policy)
      for note in found.notes { Terminal.note("\(adapter): \(note)".printable) }
      settings.adapters = try AdapterSettings(continuing: found, in: &policy, dropout: 0, path: adapter)
    } else {
      let adapters = AdapterSettings(rank: rank, alpha: alpha)
      settings.adapters = adapters
      try adapters.attach(to: &policy, random: RandomSource(seed: seed).stream("adapters"))
    }
    let reward = AnswerReward(rule: try rule.map(AnswerRule.named), formReward: formReward)
    let prompt = StudentPrompt(parts, isChat: !plain)
    let asked = try PolicyQuestions(rows(data ?? "", split), prompt: prompt, seed: seed)
    if questions > asked.rows.count {
      Terminal.note(
        "Warning: --questions \(questions) is more than the \(asked.rows.count) questions that there are, so each is asked several times in a step"
      )
    }
    let held = try heldOut.map { try PolicyQuestions(rows($0, heldOutSplit), prompt: prompt, seed: seed) }
    let run = try PolicyRun(
      folder: folder,
      trainer: PolicyTrainer(
        policy, settings: settings, teacher: try teacher.map { try PolicyTeacher.load($0, for: parts) }), loaded: parts,
      questions: asked, heldOut: held, reward: reward,
      description: description(record, settings, asked, held, policy.description.fingerprint), resuming: record != nil)
    for path in run.damagedCheckpoints {
      Terminal.note(
        "Warning: \(path) cannot be read and was renamed to .damaged; the run resumes from the checkpoint before")
    }
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    let isComplete = try await run.run(isInterrupted: { Terminal.isInterrupted }, report: show)
    guard isComplete else {
      Terminal.note(
        "Interrupted; step \(run.trainer.step) is saved. Resume with: martlet teach policy --resume \(folder)")
      throw ExitCode(Terminal.interruptCode)
    }
    if let adapters = settings.adapters {
      try AdapterFile.write(run.trainer.model, settings: adapters, base: checkpoint.path, to: folder)
    }
    if !json { print("\(folder)/adapter_model.safetensors\n\(folder)/report.html") }
  }

  private func rows(_ file: String, _ split: String?) throws -> [TeachingRow] {
    var source = QuestionSource(file)
    source.splits = split.map { [$0] } ?? []
    return try QuestionReader(seed: Int(truncatingIfNeeded: seed)).rows(of: source)
  }

  private var settings: PolicySettings {
    var settings = PolicySettings(
      method: method,
      optimizer: OptimizerSettings(
        method: .adamw, learningRate: learningRate ?? (method == .gkd ? 1e-4 : 5e-5), beta1: 0.9, beta2: 0.99,
        clip: clip > 0 ? clip : nil),
      schedule: LearningRateSchedule(shape: schedule, warmup: min(warmup, steps), final: 0.1, steps: steps),
      steps: steps)
    settings.questions = questions
    settings.samples = samples ?? (method == .gkd ? 1 : 8)
    settings.temperature = temperature
    settings.maxTokens = maxTokens
    settings.updates = updates
    settings.groupRelative = GroupRelativeObjective(
      normalization: normalization, clipLow: clipLow, clipHigh: clipHigh, klWeight: klWeight,
      dividesByDeviation: divideByDeviation)
    settings.preference = PreferenceObjective(beta: dpoBeta, labelSmoothing: labelSmoothing)
    settings.distillation = DistillationObjective(beta: gkdBeta)
    settings.ownShare = ownShare
    settings.formReward = formReward
    settings.seed = seed
    settings.validationInterval = measureEvery
    settings.checkpointInterval = checkpointEvery
    return settings
  }

  /// What `run.json` says.
  /// - Throws: ``TeachingError`` if the questions or the model are no longer those that the run was started with.
  private func description(
    _ record: RunRecord?, _ settings: PolicySettings, _ asked: PolicyQuestions, _ held: PolicyQuestions?,
    _ model: String
  ) throws -> [String: Any] {
    let digests = ["data": asked.fingerprint, "held_out": held?.fingerprint ?? "", "model": model]
    if let record {
      let before = record.object["fingerprints"] as? [String: String] ?? [:]
      for (name, what) in [("model", "the model is"), ("data", "the questions are"), ("held_out", "the questions are")]
      where before[name] != digests[name] {
        throw TeachingError(
          "\(what) no longer what the run in \(folder) was started with; restore it, or start a new run")
      }
    }
    var object = RunRecord.object(self, after: record)
    object["settings"] = try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings))
    object["fingerprints"] = digests
    return object
  }

  private func show(_ event: PolicyRun.Event) throws {
    switch event {
    case .resumed(let step):
      guard json else { return Terminal.note("resuming after step \(step)") }
      try Terminal.printJSON(["event": "resumed", "step": step])
    case .checkpoint(let step): if json { try Terminal.printJSON(["event": "checkpoint", "step": step]) }
    case .measurement(let found):
      let (greedy, sampled) = (found.accuracy, found.sampledAccuracy)
      if json {
        try Terminal.printJSON([
          "event": "measurement", "step": found.step, "questions": found.questions, "accuracy": greedy.value,
          "lower": greedy.interval.lower, "upper": greedy.interval.upper, "sampled_accuracy": sampled.value,
          "sampled_lower": sampled.interval.lower, "sampled_upper": sampled.interval.upper, "reward": found.reward,
        ])
      } else {
        func text(_ share: (value: Double, interval: ConfidenceInterval)) -> String {
          String(
            format: "%.1f %% (%.1f to %.1f)", 100 * share.value, 100 * share.interval.lower, 100 * share.interval.upper)
        }
        Terminal.note(
          "step \(found.step): of \(found.questions) held-out questions \(text(greedy)) are answered rightly, sampled \(text(sampled))"
        )
      }
    case .step(let step, let writing, let updating):
      if json {
        var object: [String: Any] = [
          "event": "step", "step": step.step, "loss": step.loss, "gradient_norm": step.gradientNorm,
          "learning_rate": step.learningRate, "completions": step.completions, "tokens": step.tokens,
          "writing_seconds": writing, "updating_seconds": updating, "skipped": step.isSkipped,
        ]
        if let reward = step.reward { object["reward"] = reward }
        if let divergence = step.divergence { object["divergence"] = divergence }
        try Terminal.printJSON(object)
      } else {
        var parts = ["step \(step.step)/\(steps)"]
        if let reward = step.reward { parts.append(String(format: "reward %.3f", reward)) }
        parts.append(String(format: "loss %.4f", step.loss))
        if let ranked = step.rankedShare { parts.append(String(format: "ranked %.2f", ranked)) }
        if let divergence = step.divergence { parts.append(String(format: "divergence %.4f", divergence)) }
        parts.append("\(step.completions) answers, \(step.tokens) tokens")
        parts.append(String(format: "%.1f s writing, %.1f s updating", writing, updating))
        Terminal.note(parts.joined(separator: "  ") + (step.isSkipped ? "  (nothing to learn)" : ""))
      }
    }
  }
}
