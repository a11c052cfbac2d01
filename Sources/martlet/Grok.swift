import ArgumentParser
import Foundation
import MartletProbes
import MartletTensor
import MartletTraining

extension ModularTask.Operation: ExpressibleByArgument {}
extension GrokkingSettings.Loss: ExpressibleByArgument {}

struct Grok: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grok",
    abstract: "Trains a small transformer on modular arithmetic and measures grokking (late generalisation).",
    discussion: """
      Training is full-batch AdamW on pairs (a, b) modulo a prime. OUT/grokking.json and OUT/grokking.html hold \
      accuracy and loss of both splits, restricted and excluded loss and Fourier spectra (Nanda et al., 2023). Ctrl-C \
      saves a checkpoint; --resume resumes.

      Examples:
        martlet grok --out grok                                    (modulus 59, 40 % of the pairs: generalises late)
        martlet grok --out quick --share 0.5
        martlet grok --out fast --lr 0.003 --weight-decay 2        (a tuned baseline)
        martlet grok --out ema --grokfast 2                        (Grokfast-EMA)
        martlet grok --out orthogonal --orthogonal --weight-decay 0
      """)

  @Option(help: "Operation: add, subtract, multiply, divide, quadratic (a^2 + ab + b^2) or cubic (a^3 + ab).")
  var operation = ModularTask.Operation.add
  @Option(help: "The modulus, a prime.") var modulus = 59
  @Option(help: "Share of the pairs used for training.") var share = 0.4
  @Option(help: "Number of layers, 1 or 2.") var layers = 1
  @Option(help: "Width of the model.") var width = 128
  @Option(help: "Number of attention heads.") var heads = 4
  @Option(help: "Loss: softmax or stablemax.") var loss = GrokkingSettings.Loss.softmax
  @Flag(help: "Compute the loss in double precision.") var doubleLoss = false
  @Option(name: [.long, .customLong("lr")], help: "Learning rate.") var learningRate = 1e-3
  @Option(help: "Decoupled weight decay, on every tensor.") var weightDecay = 1.0
  @Option(help: "Amplification of Grokfast-EMA (2 in the paper); 0 switches it off.") var grokfast = 0.0
  @Option(help: "Decay of Grokfast-EMA's moving average.") var grokfastMemory = 0.98
  @Flag(help: "Remove the component along the weights from every gradient.") var orthogonal = false
  @Option(help: "Maximum number of steps.") var steps = 10_000
  @Option(help: "Test accuracy at which to stop; 2 runs all steps.") var until = 0.99
  @Option(help: "Steps between evaluations.") var interval = 25
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1
  @Option(help: "Folder for the results.") var out: String
  @Flag(help: "Resume the run in --out; all other options must be those that it was started with.") var resume = false
  @Option(help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object for each evaluation.") var json = false

  func validate() throws {
    if !(1...1_000_000_000).contains(steps) || interval < 1 || heads < 1 || !(1...65_536).contains(width) {
      throw ValidationError(
        "--steps, --interval, --heads and --width must be at least 1, --steps at most 1000000000, --width at most 65536"
      )
    }
    for (name, value) in [
      ("--learning-rate", learningRate), ("--weight-decay", weightDecay), ("--grokfast", grokfast),
      ("--grokfast-memory", grokfastMemory), ("--until", until),
    ] where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(name) must be 0 or more")
    }
    if !(1...2).contains(layers) { throw ValidationError("--layers must be 1 or 2") }
    if !(share > 0 && share < 1) { throw ValidationError("--share must lie between 0 and 1") }
    if !(3...1009).contains(modulus) { throw ValidationError("--modulus must be a prime from 3 to 1009") }
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
  }

  /// The options that make settings what other settings are not.
  private static func options(of settings: GrokkingSettings, unlike others: GrokkingSettings) -> [String] {
    func values(_ settings: GrokkingSettings) -> [(name: String, value: String)] {
      [
        ("operation", settings.operation.rawValue), ("modulus", "\(settings.modulus)"), ("share", "\(settings.share)"),
        ("layers", "\(settings.layers)"), ("width", "\(settings.width)"), ("heads", "\(settings.heads)"),
        ("loss", settings.loss.rawValue), ("double-loss", "\(settings.usesDoubleLoss)"),
        ("learning-rate", "\(settings.learningRate)"), ("weight-decay", "\(settings.weightDecay)"),
        ("grokfast", "\(settings.grokfastAmplification)"), ("grokfast-memory", "\(settings.grokfastMemory)"),
        ("orthogonal", "\(settings.isOrthogonal)"), ("steps", "\(settings.steps)"), ("until", "\(settings.target)"),
        ("interval", "\(settings.interval)"), ("seed", "\(settings.seed)"),
      ]
    }
    return zip(values(settings), values(others)).filter { $0.value != $1.value }.map {
      RecordedOptions.written($0.name, $0.value, beside: $1.value)
    }
  }

  func run() throws {
    if let threads { Parallel.width = threads }
    let folder = GrokkingFolder(out)
    var settings = GrokkingSettings()
    settings.operation = operation
    settings.modulus = modulus
    settings.share = share
    settings.layers = layers
    settings.width = width
    settings.heads = heads
    settings.loss = loss
    settings.usesDoubleLoss = doubleLoss
    settings.learningRate = learningRate
    settings.weightDecay = weightDecay
    settings.grokfastAmplification = grokfast
    settings.grokfastMemory = grokfastMemory
    settings.isOrthogonal = orthogonal
    settings.steps = steps
    settings.target = until
    settings.interval = interval
    settings.seed = seed
    if folder.holdsRun, !resume {
      throw TrainingError("\(out) contains a run already; resume it with --resume, or choose another --out")
    }
    if resume, !folder.holdsRun {
      throw TrainingError("\(out) contains no run to resume; leave --resume out to start one")
    }
    var run = resume ? try folder.load() : try GrokkingRun(settings)
    if resume, run.settings != settings {
      let others = Self.options(of: run.settings, unlike: settings).joined(separator: ", ")
      throw TrainingError(
        others.isEmpty
          ? "\(out) was started by another version of Martlet; start a new run with another --out"
          : "\(out) was started \(others); give the same options to resume")
    }
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    let started = Date(), first = run.step
    var lastLine = Date.distantPast
    if run.step == 0 { run.evaluate() }
    // About eighty snapshots, at evaluations, for the progress measures.
    let snapshotInterval = max(interval, steps / 80 / interval * interval)
    while !run.isFinished, !Terminal.isInterrupted {
      run.train()
      guard run.step % interval == 0 || run.step == steps else { continue }
      run.evaluate()
      guard let point = run.points.last else { continue }
      guard point.trainingLoss.isFinite else {
        throw TrainingError("the loss was not a finite number at step \(run.step); lower --learning-rate")
      }
      if run.step % snapshotInterval == 0 {
        try folder.snapshot(run)
        try folder.save(run)
      }
      let rate = Double(run.step - first) / Date().timeIntervalSince(started)
      if json {
        try Terminal.printJSON([
          "step": point.step, "training_loss": point.trainingLoss, "test_loss": point.testLoss,
          "training_accuracy": point.trainingAccuracy, "test_accuracy": point.testAccuracy, "steps_per_second": rate,
        ])
      } else if Date().timeIntervalSince(lastLine) > (Terminal.isInteractive ? 0.2 : 5) {
        lastLine = Date()
        let text = String(
          format:
            "step %d/%d  loss %.2e / %.2e  accuracy %.1f / %.1f %% (training / test)  %.0f steps/s, at most %@ left",
          point.step, steps, point.trainingLoss, point.testLoss, point.trainingAccuracy * 100,
          point.testAccuracy * 100, rate, TrainingView.duration(Double(steps - run.step) / max(rate, 1e-9)))
        if Terminal.isInteractive {
          StandardError.write("\r\u{1b}[K\(text)")
        } else {
          Terminal.note(text)
        }
      }
    }
    if Terminal.isInteractive, !json { StandardError.write("\r\u{1b}[K") }
    try folder.snapshot(run)
    try folder.save(run)
    try folder.writeReport(run)
    if Terminal.isInterrupted {
      Terminal.note("Interrupted; step \(run.step) is saved. Resume with the same options and --resume")
      throw ExitCode(Terminal.interruptCode)
    }
    let memorised = run.memorisedAt.map { "step \($0)" } ?? "not yet"
    let generalised = run.generalisedAt.map { "step \($0)" } ?? "not within \(run.step) steps"
    if json {
      var object: [String: Any] = ["steps": run.step, "report": out + "/grokking.html"]
      object["memorised_at"] = run.memorisedAt
      object["generalised_at"] = run.generalisedAt
      try Terminal.printJSON(object)
    } else {
      print("memorised (100 % of the training pairs): \(memorised)")
      print("generalised (99 % of the test pairs):    \(generalised)")
      print("\(out)/grokking.html\n\(out)/grokking.json")
    }
  }
}
