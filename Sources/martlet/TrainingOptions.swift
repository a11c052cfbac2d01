import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor
import MartletTokenizers
import MartletTraining

extension MatrixPrecision: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}
extension OptimizerSettings.Method: ExpressibleByArgument {}

/// Options of the commands that train.
struct TrainingOptions: ParsableArguments {
  @Option(help: "Data: a .txt file, a folder of .txt and .md files, a .jsonl file, or a .bin with its .idx.")
  var data: String
  @Option(help: "Folder of the run: its checkpoints, metrics, report.html and the result.")
  var out: String
  @Flag(help: "Go on with the run in --out where it stopped.")
  var resume = false

  @Option(help: "Steps of the optimiser (default: --epochs).") var steps: Int?
  @Option(help: "Times the data is read.") var epochs = 1.0
  @Option(help: "A step takes BATCH x CONTEXT tokens: shorter examples are packed, none is padded.") var batch = 16
  @Option(help: "Most tokens of an example.") var context = 256
  @Option(help: "Micro-batches whose gradients are added up in a step.") var accumulate = 1

  @Option(help: "Optimiser: sgd, adam or adamw.") var optimizer = OptimizerSettings.Method.adamw
  @Option(name: [.long, .customLong("lr")], help: "Highest learning rate.") var learningRate: Double?
  @Option(help: "Learning rate at the end, as a share of the highest.") var finalShare = 0.1
  @Option(help: "Course of the learning rate: constant, linear, cosine or exponential.")
  var schedule = LearningRateSchedule.Shape.cosine
  @Option(help: "Steps over which the learning rate grows to its highest.") var warmup = 20
  @Option(help: "Weight decay of matrices.") var weightDecay = 0.01
  @Option(help: "Adam's beta 1.") var beta1 = 0.9
  @Option(help: "Adam's beta 2.") var beta2 = 0.99
  @Option(help: "Adam's epsilon.") var epsilon = 1e-8
  @Option(help: "Most norm of the gradient; 0 does not clip.") var clip = 1.0
  @Option(help: "What the factors of matrix products are rounded to: f32 or bf16. Weights stay in f32.")
  var precision = MatrixPrecision.f32
  @Flag(help: "Keep only each block's input for the way back, and compute the blocks twice: less memory, more time.")
  var checkpointGradients = false

  @Option(help: "Share of the data kept for validation (its end).") var validation = 0.1
  @Option(help: "Other data for validation, instead of a share.") var validationData: String?
  @Option(help: "Steps between validations; 0 for none.") var validateEvery = 100
  @Option(help: "Steps between checkpoints.") var checkpointEvery = 200
  @Option(help: "Checkpoints kept, beside the best one.") var keep = 2
  @Option(help: "End after this many validations without a better loss.") var patience: Int?
  @Option(help: "Same seed, same run.") var seed: UInt64 = 1

  @Option(help: "Key of a JSON line that holds a text.") var textKey = "text"
  @Option(help: "Key of a JSON line that holds a conversation.") var messagesKey = "messages"
  @Option(help: "Key of a JSON line that holds a prompt.") var promptKey = "prompt"
  @Option(help: "Key of a JSON line that holds the answer to the prompt.") var completionKey = "completion"
  @Flag(help: "Count the prompt in the loss too.") var trainOnPrompt = false
  @Flag(help: "Show the first batch token by token, with what counts in the loss, and end.") var showBatch = false

  @Option(help: "Threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object a step.") var json = false

  func validate() throws {
    // Products of these sizes must stay far below what an integer holds.
    for (name, value, most) in [
      ("--batch", batch, 1 << 16), ("--context", context, 1 << 20), ("--accumulate", accumulate, 1 << 16),
      ("--keep", keep, .max), ("--checkpoint-every", checkpointEvery, .max), ("--threads", threads ?? 1, 64),
    ] where !(1...most).contains(value) {
      throw ValidationError("\(name) must be at least 1\(most == .max ? "" : " and at most \(most)")")
    }
    if let steps, !(0...1_000_000_000).contains(steps) {
      throw ValidationError("--steps must be from 0 (which writes the untrained model) to 1000000000")
    }
    if validateEvery < 0 || warmup < 0 { throw ValidationError("--validate-every and --warmup cannot be negative") }
    if !(0..<1).contains(validation) { throw ValidationError("--validation must be from 0 to below 1") }
    if !(epochs > 0 && epochs <= 1_000_000) { throw ValidationError("--epochs must be above 0 and at most 1000000") }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be above 0")
    }
  }

  /// Whether `--out` and `--resume` go together; asked before anything is read.
  func checkFolder() throws {
    let begun = FileManager.default.fileExists(atPath: out + "/run.json")
    if showBatch { return }
    if begun, !resume {
      throw TrainingError("\(out) holds a run already; go on with it by --resume, or choose another --out")
    }
    if resume, !begun { throw TrainingError("\(out) holds no run to resume; leave --resume out to begin one") }
  }

  func reading(_ tokenizer: any Tokenizer, _ chatFormat: ChatFormat) -> DataReading {
    var reading = DataReading(tokenizer: tokenizer, chatFormat: chatFormat, context: context)
    reading.keys.text = textKey
    reading.keys.messages = messagesKey
    reading.keys.prompt = promptKey
    reading.keys.completion = completionKey
    reading.trainsOnPrompt = trainOnPrompt
    return reading
  }

  /// Training and validation examples.
  func load(_ reading: DataReading) throws -> (training: TrainingData, validation: TrainingData) {
    let all = try reading.read(data)
    for note in all.notes { Terminal.note("Note: \(note)") }
    if let validationData { return (all, try reading.read(validationData)) }
    return all.split(validation: validation)
  }

  func settings(defaultRate: Double, examples training: TrainingData) -> TrainingSettings {
    let rows = training.examples.reduce(0) { $0 + $1.count - 1 }
    let perStep = batch * context * accumulate
    let steps = steps ?? max(1, Int((epochs * Double(rows) / Double(perStep)).rounded()))
    var settings = TrainingSettings(
      optimizer: OptimizerSettings(
        method: optimizer, learningRate: learningRate ?? defaultRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
        weightDecay: weightDecay, clip: clip > 0 ? clip : nil),
      schedule: LearningRateSchedule(shape: schedule, warmup: min(warmup, steps), final: finalShare, steps: steps),
      steps: steps, batch: batch, context: context)
    settings.accumulation = accumulate
    settings.seed = seed
    settings.precision = precision
    settings.checkpointsGradients = checkpointGradients
    settings.validationInterval = validateEvery
    settings.checkpointInterval = checkpointEvery
    settings.keptCheckpoints = keep
    settings.patience = patience
    return settings
  }

  /// Runs or resumes, showing how it goes, and writes the result: now, and whenever the validation loss is the best
  /// so far into `best/`. Ends the process with 130 when interrupted, after saving.
  func run(
    _ trainer: Trainer, training: TrainingData, description: [String: Any],
    write: (_ model: any TrainableModel, _ folder: String) throws -> Void
  ) throws {
    if resume { try checkSameRun(description) }
    let run = try TrainingRun(
      folder: out, trainer: trainer, training: training, description: description, resuming: resume)
    Terminal.catchInterrupts()
    StandardOutput.endInOrder()
    let view = TrainingView(steps: trainer.settings.steps, json: json)
    let best = out + "/best"
    let complete = try run.run(
      isInterrupted: { Terminal.isInterrupted },
      writeBest: { trainer in
        try OutputTarget.makeFolder(best)
        try write(trainer.model, best)
      }
    ) { view.show($0) }
    view.finish()
    if !complete {
      Terminal.note("Interrupted; step \(run.trainer.step) is saved. Go on with: --resume")
      throw ExitCode(130)
    }
    try write(run.trainer.model, out)
    if !json { print("\(out)/report.html") }
  }

  /// A resumed run must do what it was begun to do.
  private func checkSameRun(_ description: [String: Any]) throws {
    let path = out + "/run.json"
    guard let data = FileManager.default.contents(atPath: path),
      let before = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { throw TrainingError("\(path): it cannot be read; begin again in another folder") }
    for key in description.keys.sorted() {
      let old = before[key].map { "\($0)" } ?? "nothing", new = (description[key] as Any?).map { "\($0)" } ?? ""
      let same = try canonical(before[key]) == canonical(description[key])
      if !same {
        throw TrainingError(
          "\(out) was begun with another \(key) (\(old), now \(new)); give the same options to resume")
      }
    }
  }

  private func canonical(_ value: Any?) throws -> Data {
    guard let value else { return Data() }
    return try JSONSerialization.data(withJSONObject: [value], options: [.sortedKeys])
  }

  /// Settings as a JSON object.
  static func object(_ settings: some Encodable) throws -> Any {
    try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings))
  }

  /// The first batch, token by token: what counts in the loss stands bold, or in brackets without colour.
  func show(_ batch: TrainingBatch, tokenizer: any Tokenizer) throws {
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
