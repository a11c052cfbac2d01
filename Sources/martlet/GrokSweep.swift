import ArgumentParser
import Foundation
import MartletProbes
import MartletTensor
import Synchronization

/// Options of `martlet grok --sweep`.
struct GrokSweepOptions: ParsableArguments {
  @Flag(
    help:
      "Compare variants with a grid of plain AdamW, several seeds each; OUT/report.html has tables, curves and conclusions."
  )
  var sweep = false
  @Option(help: "Number of seeds of each configuration (default: 3).") var seeds: Int?
  @Option(
    name: [.long, .customLong("lrs")],
    help: "Learning rates of the grid of plain AdamW, separated by commas (default: 0.001,0.003).")
  var learningRates: String?
  @Option(
    name: [.long, .customLong("decays")],
    help: "Weight decays of the grid of plain AdamW, separated by commas (default: 1,2).")
  var weightDecays: String?
  @Option(
    help:
      "What is tried at the untuned and at the best setting, separated by commas: \(GrokkingVariant.allCases.map(\.rawValue).joined(separator: ", ")), or none (default: all of them)."
  )
  var variants: String?
  @Option(help: "Number of runs side by side (default: all processors).") var jobs: Int?

  /// Those options that only a sweep has and that were given.
  var given: [String] {
    [
      seeds.map { _ in "--seeds" }, learningRates.map { _ in "--learning-rates" },
      weightDecays.map { _ in "--weight-decays" }, variants.map { _ in "--variants" }, jobs.map { _ in "--jobs" },
    ].compactMap { $0 }
  }

  func validate() throws {
    if let seeds, !(1...1000).contains(seeds) { throw ValidationError("--seeds must be from 1 to 1000") }
    if let jobs, !(1...64).contains(jobs) { throw ValidationError("--jobs must be from 1 to 64") }
    _ = try plan(GrokkingSettings())
  }

  /// - Throws: an error naming the list that cannot be read.
  func plan(_ common: GrokkingSettings) throws -> GrokkingSweepPlan {
    var plan = GrokkingSweepPlan()
    plan.common = common
    if let seeds { plan.seedCount = seeds }
    if let learningRates {
      plan.learningRates = try Self.numbers(learningRates, "--learning-rates", "0.001,0.003") { $0 > 0 }
    }
    if let weightDecays { plan.weightDecays = try Self.numbers(weightDecays, "--weight-decays", "0,1,2") { $0 >= 0 } }
    if variants == "none" {
      plan.variants = []
    } else if let variants {
      plan.variants = try Self.parts(variants).map { name in
        guard let variant = GrokkingVariant(rawValue: name) else {
          let names = GrokkingVariant.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError(
            "--variants: \(name.debugDescription) is none of \(names); several are separated by commas")
        }
        return variant
      }
    }
    return plan
  }

  private static func parts(_ list: String) -> [String] {
    list.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func numbers(
    _ list: String, _ name: String, _ example: String, where isAllowed: (Double) -> Bool
  ) throws -> [Double] {
    try parts(list).map { part in
      guard let value = Double(part), value.isFinite, isAllowed(value) else {
        throw ValidationError("\(name): \(part.debugDescription) is no such number; give e.g. \(name) \(example)")
      }
      return value
    }
  }
}

extension Grok {
  func runSweep(after record: RunRecord?) throws {
    let path = out ?? ""
    let jobs = sweeping.jobs ?? (threads ?? 1 > 1 ? 1 : Parallel.width)
    Parallel.width = threads ?? 1
    let sweep = try GrokkingSweep(
      path, plan: sweeping.plan(settings), description: RunRecord.object(self, after: record),
      describe: { settings in
        let arguments = Grok.arguments(settings)
        return RunRecord.object(
          try Grok.parse(arguments + ["--out", path]), after: nil, arguments: arguments)
      })
    let view = GrokSweepView(plan: sweep.plan, json: json)
    let isComplete = try sweep.run(
      jobs: jobs, isInterrupted: { Terminal.isInterrupted }, report: { view.show($0) })
    view.finish()
    guard isComplete else {
      Terminal.note("Interrupted; finished runs are kept. Resume with: martlet grok --resume \(path)")
      throw ExitCode(Terminal.interruptCode)
    }
    try view.show(sweep.results, folder: path)
  }
}

/// Shows a sweep: a line for each finished run, and one that is rewritten on a terminal; or JSON.
private final class GrokSweepView: Sendable {
  private let accuracies: [Double]
  private let json: Bool
  private let lastShown = Mutex(Date.distantPast)

  init(plan: GrokkingSweepPlan, json: Bool) {
    accuracies = plan.accuracies
    self.json = json
  }

  func show(_ event: GrokkingSweep.Event) {
    switch event {
    case .kept(let count):
      if json { try? Terminal.printJSON(["event": "kept", "runs": count]) }
      if !json { line("\(count == 1 ? "1 finished run is" : "\(count) finished runs are") kept") }
    case .progress(let progress): show(progress)
    case .finished(let configuration, let outcome, let progress):
      if json { return printJSON(configuration, outcome, progress) }
      let end =
        switch outcome.ending {
        case .diverged: "diverged at step \(outcome.steps)"
        case .target: "done at step \(outcome.steps)"
        default: String(format: "%.1f %% after %d steps", (outcome.curve.last?.accuracy ?? 0) * 100, outcome.steps)
        }
      line(
        "\(progress.finished)/\(progress.total)  \(configuration.title), seed \(outcome.seed): \(end)\(left(progress))")
    }
  }

  private func show(_ progress: GrokkingSweep.Progress) {
    let isDue = lastShown.withLock { last in
      guard Terminal.isInteractive, !json, Date().timeIntervalSince(last) > 0.2 else { return false }
      last = Date()
      return true
    }
    guard isDue else { return }
    let runs = progress.underWay.map {
      String(format: "%@ step %d: %.1f %%", $0.name, $0.point.step, $0.point.testAccuracy * 100)
    }
    let text = "\(progress.finished)/\(progress.total)\(left(progress))  \(runs.joined(separator: ", "))"
    StandardError.write("\r\u{1b}[K\(text.prefix(150))")
  }

  private func left(_ progress: GrokkingSweep.Progress) -> String {
    progress.secondsLeft.map { "  \(progress.isEstimate ? "about" : "at most") \(TrainingView.duration($0)) left" }
      ?? ""
  }

  private func printJSON(
    _ configuration: GrokkingConfiguration, _ outcome: GrokkingOutcome, _ progress: GrokkingSweep.Progress
  ) {
    var object: [String: Any] = [
      "event": "run", "configuration": configuration.name, "seed": Seed.json(outcome.seed),
      "ending": outcome.ending.rawValue,
      "steps": outcome.steps, "finished": progress.finished, "total": progress.total,
      "reached": accuracies.map { accuracy in
        [
          "accuracy": accuracy, "step": outcome.step(reaching: accuracy) ?? NSNull(),
          "seconds": outcome.seconds(reaching: accuracy) ?? NSNull(),
        ] as [String: Any]
      },
    ]
    object["seconds_left"] = progress.secondsLeft
    try? Terminal.printJSON(object)
  }

  /// The end of a sweep.
  func show(_ results: GrokkingSweepResults, folder: String) throws {
    guard json else {
      for sentence in results.conclusions { print("- \(sentence)") }
      print("\(folder)/report.html\n\(folder)/results.json")
      return
    }
    var object = try results.object()
    object["event"] = "results"
    object["report"] = folder + "/report.html"
    try Terminal.printJSON(object)
  }

  func finish() {
    if Terminal.isInteractive, !json { StandardError.write("\r\u{1b}[K") }
  }

  private func line(_ text: String) {
    finish()
    Terminal.note(text)
  }
}
