import ArgumentParser
import Foundation
import MartletProbes
import MartletTensor
import MartletTraining

extension ModularTask.Operation: ExpressibleByArgument {}
extension GrokkingSettings.Loss: ExpressibleByArgument {}

struct Grok: RunCommand {
  static let configuration = CommandConfiguration(
    commandName: "grok",
    abstract: "Trains a small transformer on modular arithmetic and measures grokking (late generalisation).",
    discussion: """
      Training is full-batch AdamW on pairs (a, b) modulo a prime. OUT is the folder of a run like that of `martlet \
      train`: report.html and metrics.jsonl hold accuracy and loss of both splits, and at the end restricted and \
      excluded loss, Gini coefficients and Fourier spectra (Nanda et al., 2023). Ctrl-C and SIGTERM save a checkpoint; \
      `martlet grok --resume OUT` resumes.

      --sweep compares Grokfast, StableMax and orthogonal gradients with the best of a grid of plain AdamW, each with \
      several seeds, and writes one page with tables, curves and what may be concluded. Runs that are finished are kept \
      when a sweep is resumed.

      Examples:
        martlet grok --out grok                                    (modulus 59, 40 % of the pairs: generalises late)
        martlet grok --out quick --share 0.5
        martlet grok --out fast --lr 0.003 --weight-decay 2        (a tuned baseline)
        martlet grok --out ema --grokfast 2                        (Grokfast-EMA)
        martlet grok --out orthogonal --orthogonal --weight-decay 0
        martlet grok --sweep --out sweep --share 0.5 --steps 3000 --learning-rates 0.001,0.003,0.01 --weight-decays 1,2,4
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
  @Option(
    name: [.long, .customLong("lr")], help: "Learning rate; in a sweep, that of the untuned baseline.")
  var learningRate = 1e-3
  @Option(help: "Decoupled weight decay, on every tensor; in a sweep, that of the untuned baseline.")
  var weightDecay = 1.0
  @Option(help: "Amplification of Grokfast-EMA (2 in the paper, and in a sweep unless given); 0 switches it off.")
  var grokfast = 0.0
  @Option(help: "Decay of Grokfast-EMA's moving average.") var grokfastMemory = 0.98
  @Flag(help: "Remove the component along the weights from every gradient.") var orthogonal = false
  @Option(help: "Maximum number of steps.") var steps = 10_000
  @Option(help: "Test accuracy at which to stop; 2 runs all steps.") var until = 0.99
  @Option(help: "Steps between evaluations.") var interval = 25
  @Option(help: "Random seed, in a sweep the first one; the same seed repeats the run.") var seed: UInt64 = 1
  @Option(help: "Folder of the run for checkpoints, metrics and report.html.") var out: String?
  @Option(
    defaultAsFlag: "", parsing: .next,
    help: "Resume the run in this folder (default: --out) with its own options; --steps or --until may be larger.")
  var resume: String?
  @Option(name: .shortAndLong, help: "Number of threads of a run (default: all processors; 1 in a sweep).")
  var threads: Int?
  @Flag(help: "Print one JSON object for each evaluation, or for each run of a sweep.") var json = false
  @OptionGroup(title: "Sweep") var sweeping: GrokSweepOptions

  func validate() throws {
    try checkNeeds(["--out <out>": out != nil])
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
    // A run that is resumed may say by itself that it is a sweep.
    if resume == nil { try checkSweep() }
  }

  /// - Throws: an error naming the option that belongs to a sweep without one, or to a single run in a sweep.
  private func checkSweep() throws {
    guard sweeping.sweep else {
      if let name = sweeping.given.first { throw ValidationError("\(name) is an option of a sweep; add --sweep") }
      return
    }
    if loss != .softmax || orthogonal {
      throw ValidationError(
        "a sweep tries losses and orthogonal gradients itself; leave --loss and --orthogonal out, or choose with --variants"
      )
    }
    if (threads ?? 1) > 1, (sweeping.jobs ?? 2) > 1 {
      throw ValidationError("runs side by side have one thread each; give --jobs 1 with --threads \(threads ?? 1)")
    }
  }

  // MARK: The folder

  var isShowing: Bool { false }
  var momentaryFlags: [String] { [] }
  var results: [String] { ["snapshots", "runs", "results.json"] }
  static var freeOptions: Set<String> {
    [
      "steps", "until", "json", "threads", "out", "resume", "jobs", "seeds", "learning-rates", "weight-decays",
      "variants",
    ]
  }
  /// Where nothing but `--out` and `--resume` is said, the run says the rest.
  var goesOnAsBegun: Bool {
    var others = settings
    others.steps = GrokkingSettings().steps
    others.target = GrokkingSettings().target
    return resume == "" && out != nil && others == GrokkingSettings() && !sweeping.sweep
  }

  var settings: GrokkingSettings {
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
    return settings
  }

  /// The command line of a run with some settings.
  static func arguments(_ settings: GrokkingSettings) -> [String] {
    [
      "--operation", settings.operation.rawValue, "--modulus", "\(settings.modulus)", "--share", "\(settings.share)",
      "--layers", "\(settings.layers)", "--width", "\(settings.width)", "--heads", "\(settings.heads)", "--loss",
      settings.loss.rawValue, "--learning-rate", "\(settings.learningRate)", "--weight-decay",
      "\(settings.weightDecay)", "--grokfast", "\(settings.grokfastAmplification)", "--grokfast-memory",
      "\(settings.grokfastMemory)", "--steps", "\(settings.steps)", "--until", "\(settings.target)", "--interval",
      "\(settings.interval)", "--seed", "\(settings.seed)",
    ] + (settings.usesDoubleLoss ? ["--double-loss"] : []) + (settings.isOrthogonal ? ["--orthogonal"] : [])
  }

  func run() throws {
    let named = resume.flatMap { $0.isEmpty ? nil : $0 } ?? out ?? ""
    if GrokkingFolder.isOfEarlierVersion(named) {
      throw TrainingError(
        "\(named) was written by an earlier version of martlet grok, which this one cannot resume; its grokking.html and grokking.json stay as they are, so start a new run with another --out"
      )
    }
    let (command, record) = try RunRecord.resolve(self)
    // The run that is resumed has said whether it is a sweep.
    if record != nil { try command.checkSweep() }
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    if command.sweeping.sweep { try command.runSweep(after: record) } else { try command.runOnce(after: record) }
  }

  private func runOnce(after record: RunRecord?) throws {
    if let threads { Parallel.width = threads }
    let path = out ?? ""
    let folder = try GrokkingFolder(
      path, settings: settings, description: RunRecord.object(self, after: record), resuming: record != nil)
    for path in folder.damagedCheckpoints {
      Terminal.note(
        "Warning: \(path) cannot be read and was renamed to .damaged; the run resumes from the checkpoint before")
    }
    let view = GrokView(steps: steps, json: json)
    let ending = try folder.run(isInterrupted: { Terminal.isInterrupted }, report: view.show)
    view.finish()
    let run = folder.run
    switch ending {
    case .interrupted:
      Terminal.note("Interrupted; step \(run.step) is saved. Resume with: martlet grok --resume \(path)")
      throw ExitCode(Terminal.interruptCode)
    case .diverged:
      throw TrainingError("the loss was not a finite number at step \(run.step); lower --learning-rate")
    case .target, .steps:
      if json {
        var object: [String: Any] = ["steps": run.step, "ending": ending.rawValue, "report": path + "/report.html"]
        object["memorised_at"] = run.memorisedAt
        object["generalised_at"] = run.generalisedAt
        try Terminal.printJSON(object)
      } else {
        print("memorised (100 % of the training pairs): \(run.memorisedAt.map { "step \($0)" } ?? "not yet")")
        print(
          "generalised (99 % of the test pairs):    \(run.generalisedAt.map { "step \($0)" } ?? "not within \(run.step) steps")"
        )
        print("\(path)/report.html")
      }
    }
  }
}
