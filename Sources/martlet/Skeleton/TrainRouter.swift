import ArgumentParser
import Foundation
import MartletData
import MartletSkeleton

struct TrainRouter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-router",
    abstract: "Trains a router on labelled questions.",
    discussion: """
      Each line of the data is {"text": "…", "label": 0 or 1}; 1 means that the answer is a list of points that can be \
      written independently. The keys `question` and `sot_label` are accepted as well.

      Example: martlet skeleton train-router questions.jsonl --evaluate vicuna80.jsonl --out router.safetensors
      """)

  @Argument(help: "JSONL files to train on.") var data: [String]
  @Option(help: "File for the router.") var out = "router.safetensors"
  @Option(help: "JSONL file on which the router is evaluated; may be repeated.") var evaluate: [String] = []
  @Option(help: "Number of steps of gradient descent.") var steps = 400
  @Option(help: "Lowest probability at which a skeleton is used.") var threshold = 0.5
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...100_000).contains(steps) { throw ValidationError("--steps must be from 1 to 100000") }
    if !(0...1).contains(threshold) { throw ValidationError("--threshold must be from 0 to 1") }
  }

  func run() throws {
    try OutputTarget.check(out, replaces: force)
    let rows = try data.flatMap(RoutedQuestion.read)
    let sets = try evaluate.map { ($0, try RoutedQuestion.read($0)) }
    var training = RouterTraining()
    training.steps = steps
    let progress = Progress("training")
    var router = try training.train(rows) { progress.update($0, of: steps, unit: "steps", scale: 1) }
    progress.finish()
    router.threshold = threshold
    let own = RouterFigures(router, on: rows)
    router.card = [
      "rows": "\(rows.count)", "positives": "\(rows.count(where: \.label))", "steps": "\(steps)",
      "training_accuracy": String(format: "%.4f", own.accuracy),
    ]
    try router.write(to: out, replaces: force)
    let figures = [("training", own)] + sets.map { ($0.0, RouterFigures(router, on: $0.1)) }
    if json {
      return try Terminal.printJSON([
        "out": out, "rows": rows.count,
        "sets": figures.map { name, figures in
          [
            "name": name, "rows": figures.count, "accuracy": figures.accuracy,
            "true_positives": figures.truePositives, "false_positives": figures.falsePositives,
            "true_negatives": figures.trueNegatives, "false_negatives": figures.falseNegatives,
            "area_under_curve": figures.areaUnderCurve.isFinite ? figures.areaUnderCurve : NSNull(),
          ] as [String: Any]
        },
      ])
    }
    print("\(rows.count) rows; router written to \(out)")
    for (name, figures) in figures {
      print(
        String(
          format: "%@: %.1f %% right of %d (no: %d right, %d wrong; yes: %d right, %d wrong), AUC %.3f", name,
          figures.accuracy * 100, figures.count, figures.trueNegatives, figures.falsePositives, figures.truePositives,
          figures.falseNegatives, figures.areaUnderCurve))
    }
  }
}
