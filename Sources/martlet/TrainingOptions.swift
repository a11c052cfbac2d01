import ArgumentParser
import Foundation
import MartletData
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTokenizers
import MartletTraining

extension MatrixPrecision: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}
extension OptimizerSettings.Method: ExpressibleByArgument {}

/// Options of the commands that train.
struct TrainingOptions: ParsableArguments {
  @Option(
    help:
      "Training data: a text, JSON lines or a JSON list, a table (.csv, .tsv), each also as .gz or .zst; a .bin with its .idx; or a folder of them."
  )
  var data: String?
  @Option(help: "Folder of the run for checkpoints, metrics, report.html and the result.")
  var out: String?
  @Option(
    defaultAsFlag: "", parsing: .next,
    help:
      "Resume the run in this folder (default: --out) with its own options; --steps or --epochs may be larger."
  )
  var resume: String?
  @Flag(help: "Resume a run even if its data has changed.") var acceptChangedData = false

  @Option(help: "Number of optimiser steps (default: set by --epochs).") var steps: Int?
  @Option(
    help: "Number of passes over the data (default: 1; more for little data, so that there are some tens of steps).")
  var epochs: Double?
  @Option(
    help:
      "Batch size: a step has BATCH x CONTEXT tokens; shorter examples are packed, not padded (default: 16, less for little data)."
  )
  var batch: Int?
  @Option(help: "Maximum number of tokens of an example.") var context = 256
  @Option(help: "Number of batches whose gradients are accumulated in a step.") var accumulate = 1

  @Option(help: "Optimiser: sgd, adam or adamw.") var optimizer = OptimizerSettings.Method.adamw
  @Option(name: [.long, .customLong("lr")], help: "Peak learning rate.") var learningRate: Double?
  @Option(help: "Final learning rate as a share of the peak learning rate.") var finalShare = 0.1
  @Option(help: "Learning rate schedule: constant, linear, cosine or exponential.")
  var schedule = LearningRateSchedule.Shape.cosine
  @Option(help: "Number of warm-up steps of the learning rate (default: a tenth of all steps, at most 20).")
  var warmup: Int?
  @Option(help: "Weight decay of matrices.") var weightDecay = 0.01
  @Option(help: "Adam's beta 1.") var beta1 = 0.9
  @Option(help: "Adam's beta 2.") var beta2 = 0.99
  @Option(help: "Adam's epsilon.") var epsilon = 1e-8
  @Option(help: "Maximum global norm of the gradients; 0 disables clipping.") var clip = 1.0
  @Option(help: "Precision of the factors of matrix products: f32 or bf16. Weights are kept in f32.")
  var precision = MatrixPrecision.f32
  @Flag(
    help:
      "Gradient checkpointing: store only the input of each block and compute it again in the backward pass (less memory, more time)."
  )
  var checkpointGradients = false

  @Option(help: "Share of the data, taken from its end, that is used for validation.") var validation = 0.1
  @Option(help: "Separate data for validation, instead of a share.") var validationData: String?
  @Option(help: "Number of steps between validations; 0 disables them (default: 100, fewer in short runs).")
  var validateEvery: Int?
  @Option(help: "Number of steps between checkpoints (default: 200, fewer in short runs).") var checkpointEvery: Int?
  @Option(help: "Number of checkpoints to keep, besides the best one.") var keep = 2
  @Option(help: "Early stopping: end after this number of validations without a lower loss.") var patience: Int?
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1

  @Option(help: "Key of the text in a JSON line.") var textKey = "text"
  @Option(help: "Key of the conversation in a JSON line.") var messagesKey = "messages"
  @Option(help: "Key of the prompt in a JSON line.") var promptKey = "prompt"
  @Option(help: "Key of the answer to the prompt in a JSON line.") var completionKey = "completion"
  @Flag(help: "Include the tokens of the prompt in the loss.") var trainOnPrompt = false
  @Flag(
    inversion: .prefixedNo, exclusivity: .chooseLast,
    help:
      "Whether names of control tokens in raw text become control tokens (default: yes, if any text contains one; conversations are not raw text)."
  )
  var parseSpecial: Bool?
  @Flag(help: "Skip lines that cannot be used, and report their number.") var skipBadLines = false
  @Flag(help: "Show the first examples token by token and which tokens count in the loss, then exit.") var showBatch =
    false

  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object for each step.") var json = false

  func validate() throws {
    if resume?.isEmpty ?? true {
      if resume != nil, out == nil {
        throw ValidationError("--resume needs the folder of the run: give --resume DIR, or --out DIR with it")
      }
      if data == nil, !goesOnAsBegun { throw ValidationError("Missing expected argument '--data <data>'") }
      if out == nil, !showBatch { throw ValidationError("Missing expected argument '--out <out>'") }
    }
    // Products of these sizes must stay far below what an integer holds.
    for (name, value, most) in [
      ("--batch", batch ?? 1, 1 << 16), ("--context", context, 1 << 20), ("--accumulate", accumulate, 1 << 16),
      ("--keep", keep, .max), ("--checkpoint-every", checkpointEvery ?? 1, .max), ("--threads", threads ?? 1, 64),
    ] where !(1...most).contains(value) {
      throw ValidationError("\(name) must be at least 1\(most == .max ? "" : " and at most \(most)")")
    }
    if let steps, !(0...1_000_000_000).contains(steps) {
      throw ValidationError("--steps must be from 0 (which writes the untrained model) to 1000000000")
    }
    if validateEvery ?? 0 < 0 || warmup ?? 0 < 0 {
      throw ValidationError("--validate-every and --warmup cannot be negative")
    }
    if !(0..<1).contains(validation) { throw ValidationError("--validation must be from 0 to below 1") }
    if let epochs, !(epochs > 0 && epochs <= 1_000_000) {
      throw ValidationError("--epochs must be above 0 and at most 1000000")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be above 0")
    }
    for (name, value) in [
      ("--final-share", finalShare), ("--weight-decay", weightDecay), ("--clip", clip), ("--epsilon", epsilon),
    ] where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(name) must be a number of at least 0")
    }
    if !(0..<1).contains(beta1) || !(0..<1).contains(beta2) {
      throw ValidationError("--beta1 and --beta2 must be from 0 to below 1")
    }
    if let patience, patience < 1 { throw ValidationError("--patience must be at least 1") }
  }

  /// Whether `--resume` and `--out` name a run that says everything else.
  var goesOnAsBegun: Bool { resume == "" && data == nil && out != nil }

  /// The folder of the run.
  var folder: String { out ?? "" }

  func reading(_ tokenizer: any Tokenizer, _ chatFormat: ChatFormat) -> DataReading {
    var reading = DataReading(tokenizer: tokenizer, chatFormat: chatFormat, context: context)
    reading.keys.text = textKey
    reading.keys.messages = messagesKey
    reading.keys.prompt = promptKey
    reading.keys.completion = completionKey
    reading.trainsOnPrompt = trainOnPrompt
    reading.parsesControlTokens = parseSpecial
    reading.skipsBadLines = skipBadLines
    return reading
  }

  /// Training and validation examples.
  func load(_ reading: DataReading) throws -> (training: TrainingData, validation: TrainingData) {
    let all = try reading.read(data ?? "")
    for note in all.notes { Terminal.note("Note: \(note)") }
    guard let validationData else { return all.split(validation: validation) }
    let other = try reading.read(validationData)
    for note in other.notes { Terminal.note("Note: \(note)") }
    return (all, other)
  }

  /// How long the run is, and everything that decides what it computes. A run that is resumed keeps its sizes, and its
  /// length unless another was asked for.
  func settings(
    defaultRate: Double, training: TrainingData, record: TrainingRecord?
  ) -> (plan: TrainingPlan, settings: TrainingSettings) {
    var request = TrainingPlan.Request(
      steps: steps, epochs: epochs, batch: batch, warmup: warmup, context: context, accumulation: accumulate)
    if let record {
      request.batch = record.settings.batch
      request.warmup = record.settings.schedule.warmup
      func isNew(_ name: String, _ value: String?) -> Bool { value != nil && value != record.options[name] }
      if isNew("steps", steps.map { "\($0)" }) {
        request.epochs = nil
      } else if isNew("epochs", epochs.map { "\($0)" }) {
        request.steps = nil
      } else {
        request.steps = record.settings.steps
      }
    }
    let plan = TrainingPlan(request, for: training)
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(
        method: optimizer, learningRate: learningRate ?? defaultRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
        weightDecay: weightDecay, clip: clip > 0 ? clip : nil),
      schedule: LearningRateSchedule(shape: schedule, warmup: plan.warmup, final: finalShare, steps: plan.steps),
      steps: plan.steps, batch: plan.batch, context: context)
    settings.accumulation = accumulate
    settings.seed = seed
    settings.precision = precision
    settings.checkpointsGradients = checkpointGradients
    settings.validationInterval = validateEvery ?? min(100, max(1, plan.steps / 5))
    settings.checkpointInterval = checkpointEvery ?? min(200, max(1, plan.steps / 10))
    settings.keptCheckpoints = keep
    settings.patience = patience
    return (plan, settings)
  }

  /// Runs or resumes, showing how it goes, and writes the result: now, and whenever the validation loss is the best
  /// so far into `best/`. Ends the process with 130 (143 at SIGTERM) when interrupted, after saving.
  ///
  /// - Parameter thing: what is trained beside the model, for people; nil where it is the model itself.
  func run(
    _ trainer: Trainer, plan: TrainingPlan, training: TrainingData, validation: TrainingData, record: TrainingRecord?,
    description: [String: Any], thing: String? = nil,
    write: (_ model: any TrainableModel, _ folder: String) throws -> Void
  ) throws {
    let view = TrainingView(steps: trainer.settings.steps, json: json)
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    let run = try TrainingRun(
      folder: folder, trainer: trainer, training: training, description: description, resuming: record != nil)
    for path in run.damagedCheckpoints {
      Terminal.note(
        "Warning: \(path) cannot be read and was renamed to .damaged; the run resumes from the checkpoint before")
    }
    view.show(plan, trainer, training: training, validation: validation)
    let best = folder + "/best"
    let complete = try run.run(
      isInterrupted: { Terminal.isInterrupted },
      writeBest: { trainer in
        try OutputTarget.makeFolder(best)
        try write(trainer.model, best)
      }
    ) { view.show($0) }
    view.finish()
    if !complete {
      let command = description["command"] as? String ?? "train"
      Terminal.note(
        "Interrupted; step \(run.trainer.step) is saved. Resume with: martlet \(command) --resume \(folder)")
      throw ExitCode(Terminal.interruptCode)
    }
    try write(run.trainer.model, folder)
    if let thing, trainer.settings.steps > 0, let gain = run.trainer.gain(over: training) {
      view.show(gain: gain, of: thing)
    }
    if !json { print("\(folder)/report.html") }
  }

  /// The first batch, token by token: what counts in the loss stands bold, or in brackets without colour.
  func show(_ training: TrainingData, _ settings: TrainingSettings, tokenizer: any Tokenizer) throws {
    var sampler = BatchSampler(training, seed: settings.seed)
    // Steps are small where there is little data, of which more can be shown.
    let batch = sampler.next(rows: max(settings.batch, TrainingPlan.mostBatch) * settings.context)
    if !json {
      let counts = Terminal.showsColor ? "\(Terminal.bold("Bold")) tokens count" : "[Tokens] in brackets count"
      print(
        "\(counts) in the loss; the others are only context. <end> is an end-of-text token; <7> is the control token 7. \(batch.spans.count) of \(training.examples.count) examples are shown, in the order of training."
      )
    }
    for (number, span) in batch.spans.enumerated() {
      let ids = [batch.inputs[span.lowerBound]] + span.map { batch.targets[$0] }
      let counts = [false] + span.map { batch.weights[$0] > 0 }
      if json {
        try Terminal.printJSON(["example": number, "tokens": ids, "counts": counts])
        continue
      }
      print(Terminal.dim("--- example \(number): \(ids.count) tokens, \(counts.filter { $0 }.count) count ---"))
      for (id, counts) in zip(ids, counts) {
        let bytes = tokenizer.bytes(of: id)
        let text = String(validating: bytes, as: UTF8.self) ?? bytes.map { String(format: "<%02x>", $0) }.joined()
        let shown = tokenizer.endOfText.contains(id) ? "<end>" : text.isEmpty ? "<\(id)>" : text
        Terminal.write(counts ? (Terminal.showsColor ? Terminal.bold(shown) : "[\(shown)]") : Terminal.dim(shown))
      }
      print()
    }
  }
}
