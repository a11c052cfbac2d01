import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletEvaluation
import MartletModels
import MartletOptimization
import MartletProbes
import MartletTensor
import MartletTraining

struct ProbeTune: AsyncParsableCommand, RunCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Symbol tuning: teaches a model to learn labels from its exemplars instead of from what it knows.",
    discussion: """
      Adapters (LoRA) are trained on prompts whose labels are random symbols: a random data set of --data, of many \
      classes a random pair, 2 to 10 exemplars a class, a random format (Wei et al., 2023, arXiv 2305.08298). A share of \
      the prompts keeps its natural labels, and --replay mixes ordinary data in, so that other abilities stay. AUROC on \
      held-out texts with symbols that are never tuned with says which step is the best and when to stop.

      --data takes FILE, FILE:KEY for the key of the label, FILE@SHARE for a share of the exemplars. The result is \
      OUT/adapter_model.safetensors. A report compares the model before and after on --evaluate, which should not be \
      tuned on (default: linear problems), and tells the cost with ordinary labels and on --cost-tasks: OUT/icl.html and \
      OUT/cost.html. Ctrl-C saves; `martlet probe tune --resume OUT` goes on.

      Example: martlet probe tune SmolLM2-135M-Instruct.Q4_1 --data clinc.jsonl.gz:intent mr.jsonl.gz@0.5 ethos.jsonl.gz \
      snli.jsonl.gz --evaluate subj.jsonl.gz --out tuned
      """)

  @Argument(help: "Path or name of the model; `box` is the built-in model (default with --resume DIR: the run's).")
  var model: String?
  @Option(parsing: .upToNextOption, help: "Files of labelled texts to tune on: FILE, FILE:KEY, FILE@SHARE.")
  var data: [String] = []
  @Option(help: "Folder of the run for checkpoints, metrics, report.html, the adapter and the reports.") var out:
    String?
  @Option(
    defaultAsFlag: "", parsing: .next, help: "Resume the run in this folder (default: --out) with its own options.")
  var resume: String?
  @Option(
    help: "Round the frozen weights to this format while loading (f32, f16, bf16, q8_0, q6_k, q5_k, q4_k, q4_1, q4_0).")
  var format: WeightFormat?
  @Option(help: "Tokenizer (default: the model's own).") var tokenizer: String?

  @Option(help: "Number of prompts to tune on.") var examples = 1000
  @Option(help: "Number of optimiser steps (default: one pass over the prompts).") var steps: Int?
  @Option(help: "Batch size: a step has up to BATCH x CONTEXT tokens.") var batch = 4
  @Option(help: "Maximum number of tokens of a prompt; prompts get fewer exemplars until they fit.") var context = 768
  @Option(help: "Largest number of exemplars of each class; the smallest is 2.") var mostShots = 10
  @Option(help: "Share of the prompts that keeps its natural labels.") var naturalShare = 0.2
  @Flag(
    help:
      "Only the last label of a prompt counts in the loss, as in the paper (default: every label behind which each class has been shown)."
  )
  var lastLabelOnly = false
  @Option(help: "Ordinary training data to mix in, in any form that `martlet finetune` reads.") var replay: String?
  @Option(help: "Share of the examples that --replay makes up.") var replayShare = 0.2
  @Option(help: "Rank of the adapters.") var rank = 8
  @Option(help: "Alpha of the adapters; their scale is alpha / rank.") var alpha = 16.0
  @Option(name: [.long, .customLong("lr")], help: "Peak learning rate.") var learningRate = 3e-4
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1
  @Option(help: "Number of steps between measurements of held-out AUROC (default: a tenth of all steps).")
  var measureEvery: Int?
  @Option(help: "Contexts of these measurements, 10 queries each.") var measureContexts = 20
  @Option(help: "Stop after this number of measurements without a higher AUROC.") var patience = 4

  @Option(parsing: .upToNextOption, help: "Files that the report asks before and after; not to be among --data.")
  var evaluate: [String] = []
  @Option(help: "Numbers of exemplars of each class in the report, separated by commas.") var reportShots = "4"
  @Option(help: "Seeds of contexts in the report, of 10 contexts with 10 queries each.") var reportSeeds = 2
  @Option(help: "Benchmark tasks that tell the cost, separated by commas; an empty text for none.")
  var costTasks = "lambada_openai,piqa"
  @Option(help: "Rows of each of these tasks, from the first.") var costLimit = 200
  @Option(help: "Folder of these tasks' data (default: $MARTLET_DATA/eval).") var costData: String?
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print JSON: one object for each step, and one with the report.") var json = false

  func validate() throws {
    for (name, value, range) in [
      ("--examples", examples, 10...10_000_000), ("--steps", steps ?? 1, 1...1_000_000_000),
      ("--batch", batch, 1...65_536),
      ("--context", context, 16...1_048_576), ("--most-shots", mostShots, 2...1000), ("--rank", rank, 1...4096),
      ("--measure-every", measureEvery ?? 1, 1...1_000_000_000), ("--measure-contexts", measureContexts, 2...10_000),
      ("--patience", patience, 1...1_000_000), ("--report-seeds", reportSeeds, 1...1000),
      ("--cost-limit", costLimit, 1...1_000_000_000), ("--threads", threads ?? 1, 1...64),
    ] where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
    for (name, value) in [("--natural-share", naturalShare), ("--replay-share", replayShare)]
    where !(0..<1).contains(value) {
      throw ValidationError("\(name) must be from 0 to below 1")
    }
    if !(learningRate > 0 && learningRate.isFinite) { throw ValidationError("--learning-rate must be above 0") }
    try checkNeeds(["<model>": model != nil, "--data <data>": !data.isEmpty, "--out <out>": out != nil])
    _ = try ProbeOptions.numbers(reportShots, "--report-shots", 1...10_000)
  }

  static let path = ["probe", "tune"]
  static let freeOptions: Set<String> = ["out", "resume", "json", "threads", "model", "data"]
  var isShowing: Bool { false }
  var momentaryFlags: [String] { [] }
  var goesOnAsBegun: Bool { resume == "" && data.isEmpty && out != nil }
  var results: [String] {
    ["adapter_model.safetensors", "adapter_config.json", "best", "icl.html", "icl_rows.jsonl", "cost.html"]
  }
  /// The folder of the run.
  var folder: String { out ?? "" }

  func run() async throws {
    let (command, record) = try RunRecord.resolve(self)
    DeviceVariable.remarkOfTraining()
    try await command.run(record)
  }

  private func run(_ record: RunRecord?) async throws {
    if let threads { Parallel.width = threads }
    let model = model ?? ""
    let report = SymbolTuningReport(command: self)
    // What the report needs is looked at before the training.
    let probe = try report.probe(), cost = try report.costOptions()
    let checkpoint = try ModelLibrary().open(model)
    let progress = Progress("loading")
    var loading = LoadedModel.Options(format: format, tokenizer: tokenizer)
    loading.progress = { done, total in progress.update(done, of: total) }
    var trained = try ModelLoading.loadTrainable(checkpoint, options: loading, frozen: true)
    progress.finish()
    let parts = try LoadedModel(model: trained, checkpoint: checkpoint, options: loading)
    let before = InContextSubject(EvaluatedModel(parts, name: "before"))
    try probe.checkLengths(before)

    let mixture = try mixture(parts, asked: probe.tasks.map(\.name))
    let (training, validation) = try examples(mixture, parts)
    let settings = settings(training)
    try settings.adapters?.attach(to: &trained, random: RandomSource(seed: seed).stream("adapters"))
    let trainer = try Trainer(trained, settings: settings, training: training, validation: validation)
    let run = try TrainingRun(
      folder: folder, trainer: trainer, training: training,
      description: try description(record, settings, training, validation, parts.model.description.fingerprint),
      resuming: record != nil)
    let log = try await tune(
      run, mixture, parts, checkpoint: checkpoint.path, plan: plan(training), training, validation)
    try finish(log)

    loading.adapters = [folder]
    let after = InContextSubject(EvaluatedModel(try LoadedModel.load(model, options: loading), name: "after"))
    try await report.write(probe, before: before, after: after, cost: cost, log: log)
  }

  /// What `run.json` says.
  /// - Throws: ``TrainingError`` if the data or the model are no longer those that the run was started with.
  private func description(
    _ record: RunRecord?, _ settings: TrainingSettings, _ training: TrainingData, _ validation: TrainingData,
    _ model: String
  ) throws -> [String: Any] {
    let digests = ["data": training.fingerprint, "validation": validation.fingerprint, "model": model]
    if let record {
      let before = record.object["fingerprints"] as? [String: String] ?? [:]
      for (name, what) in [("model", "the model is"), ("data", "the data are"), ("validation", "the data are")]
      where before[name] != digests[name] {
        throw TrainingError(
          "\(what) no longer what the run in \(folder) was started with; restore it, or start a new run")
      }
    }
    var object = RunRecord.object(self, after: record)
    object["settings"] = try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings))
    object["fingerprints"] = digests
    return object
  }

  /// - Parameter asked: the tasks of the report.
  private func mixture(_ parts: LoadedModel, asked: [String]) throws -> SymbolTuningMixture {
    let sources = try data.map { try SymbolTuningSource($0) }
    for name in sources.map(\.data.name) where asked.contains(name) {
      Terminal.note(
        "Note: \(name) is among --data and --evaluate: the report says nothing of data that are not tuned on".printable)
    }
    for source in sources { for note in source.data.notes { Terminal.note("Note: \(note)".printable) } }
    var settings = SymbolTuningMixture.Settings()
    settings.shots = 2...mostShots
    settings.naturalShare = naturalShare
    settings.countsLastLabelOnly = lastLabelOnly
    settings.context = min(context, parts.model.description.contextLength ?? context)
    settings.seed = seed
    return try SymbolTuningMixture(
      sources, vocabulary: SymbolVocabulary(words: parts.tokenizer, barring: InContextDesign().symbols),
      settings: settings)
  }

  /// Prompts with what is replayed, and a tenth of the prompts for validation.
  private func examples(
    _ mixture: SymbolTuningMixture, _ parts: LoadedModel
  ) throws -> (training: TrainingData, validation: TrainingData) {
    var (training, validation) = try mixture.trainingData(examples, tokenizer: parts.tokenizer).split(validation: 0.05)
    guard let replay, replayShare > 0 else { return (training, validation) }
    let reading = DataReading(
      tokenizer: parts.tokenizer, chatFormat: parts.chatFormat, context: mixture.settings.context)
    let all = try reading.read(replay)
    for note in all.notes { Terminal.note("Note: \(note)".printable) }
    let count = Int((Double(training.examples.count) * replayShare / (1 - replayShare)).rounded())
    let order = RandomSource(seed: seed).stream("replay").permutation(all.examples.count).prefix(count)
    if order.count < count {
      Terminal.note("Note: \(replay) has \(order.count) examples, fewer than the \(count) that --replay-share asks for")
    }
    for index in order {
      let range = all.examples[index]
      training.append(all.tokens[range].map(Int.init), counts: Array(all.counts[range]))
    }
    return (training, validation)
  }

  private func plan(_ training: TrainingData) -> TrainingPlan {
    TrainingPlan(
      TrainingPlan.Request(steps: steps, epochs: steps == nil ? 1 : nil, batch: batch, context: context), for: training)
  }

  private func settings(_ training: TrainingData) -> TrainingSettings {
    let plan = plan(training)
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(
        method: .adamw, learningRate: learningRate, beta1: 0.9, beta2: 0.99, weightDecay: 0.01, clip: 1),
      schedule: LearningRateSchedule(shape: .cosine, warmup: plan.warmup, final: 0.1, steps: plan.steps),
      steps: plan.steps, batch: plan.batch, context: context)
    settings.seed = seed
    settings.validationInterval = measureEvery ?? max(1, plan.steps / 10)
    settings.checkpointInterval = settings.validationInterval
    settings.adapters = AdapterSettings(rank: rank, alpha: alpha)
    return settings
  }

  /// Trains in stretches; behind each the held-out AUROC decides whether the adapter is the best so far, and whether to go on.
  private func tune(
    _ run: TrainingRun, _ mixture: SymbolTuningMixture, _ parts: LoadedModel, checkpoint: String, plan: TrainingPlan,
    _ training: TrainingData, _ validation: TrainingData
  ) async throws -> SymbolTuningLog {
    let settings = run.trainer.settings, interval = max(1, settings.validationInterval)
    let holdout = SymbolHoldout(mixture, contexts: measureContexts, shots: 4, queries: 10)
    let log = try SymbolTuningLog(folder + "/symbol_auroc.jsonl", upTo: run.trainer.step)
    let view = TrainingView(steps: settings.steps, json: json)
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    view.show(plan, run.trainer, training: training, validation: validation)
    func measure() async throws {
      let step = run.trainer.step
      guard log.points.last?.step != step else { return }
      let loaded = LoadedModel(model: run.trainer.model, tokenizer: parts.tokenizer, chatFormat: parts.chatFormat)
      let estimate = try await holdout.areaUnderCurve(ModelScorer(loaded))
      let isBest = try log.append(estimate, step: step)
      if isBest, let adapters = settings.adapters {
        try AdapterFile.write(run.trainer.model, settings: adapters, base: checkpoint, to: folder + "/best")
      }
      view.finish()
      if json {
        try Terminal.printJSON([
          "event": "symbols", "step": step, "auroc": estimate.value, "lower": estimate.interval.lower,
          "upper": estimate.interval.upper, "best": isBest,
        ])
      } else {
        Terminal.note("step \(step)  held-out AUROC with symbols \(estimate.text("%.3f"))\(isBest ? " (best)" : "")")
      }
    }
    try await measure()
    while run.trainer.step < settings.steps, log.measurementsSinceBest < patience {
      let next = (run.trainer.step / interval + 1) * interval
      let isComplete = try run.run(isInterrupted: { Terminal.isInterrupted || run.trainer.step >= next }) { event in
        // Stretches go on without a word; a run that is resumed has said so.
        if case .resumed = event { return }
        view.show(event)
      }
      if !isComplete, Terminal.isInterrupted {
        view.finish()
        Terminal.note("Interrupted; step \(run.trainer.step) is saved. Resume with the same options and --resume")
        StandardOutput.finish(Terminal.interruptCode)
      }
      try await measure()
    }
    view.finish()
    return log
  }

  /// Puts the best adapter where results are.
  private func finish(_ log: SymbolTuningLog) throws {
    for name in ["adapter_model.safetensors", "adapter_config.json"] {
      try AtomicFile.copy(folder + "/best/" + name, to: folder + "/" + name)
    }
    if !json, let best = log.best {
      Terminal.note("the adapter of step \(best.step) is the best of \(log.points.count - 1) measured")
      print("\(folder)/adapter_model.safetensors\n\(folder)/report.html")
    }
  }
}
