import ArgumentParser
import Foundation
import MartletData
import MartletEngine
import MartletReasoning
import MartletTensor
import MartletTraining

extension ArmSettings.Method: ExpressibleByArgument {
  /// The methods that learn from rows which are there; the others let the model write, which `teach policy` does.
  static let offline: [ArmSettings.Method] = [.answerOnly, .cot, .twoTask]
}

struct TeachTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract:
      "Trains a student on selected responses: the answer alone, the reasoning with the answer, or both as two tasks.",
    discussion: """
      --method answer-only learns the answer of each question, cot (chain of thought) the response with the answer at its \
      end (Magister et al., 2022), and two-task answers and rationales as two tasks with the marks [label] and [rationale] \
      (distilling step-by-step; Hsieh et al., 2023). Rows that `martlet teach select` has dropped are left out, and only \
      the split `train` is read unless --split says otherwise. The run is resumed with the same command after any end; \
      Ctrl-C saves. Measure the result with `martlet teach test`.

      Example:
        martlet teach train selected.jsonl --student SmolLM2-135M-Instruct.Q4_1 --method cot --out thoughts
      """)

  @Argument(help: "File of rows with questions and responses, in any form that the stages of teaching read.")
  var rows: String
  @Option(help: "Path or name of the model that is taught; `box` is the built-in model.") var student: String
  @Option(help: "What is learnt: answer-only, cot or two-task.") var method = ArmSettings.Method.cot
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Task whose rows are read; may be repeated (default: all).") var task: [String] = []
  @Option(help: "Split whose rows are read.") var split = "train"
  @Option(help: "Folder of an earlier run of this command whose result training starts from.") var start: String?
  @Flag(help: "Put questions as plain text (Q: … A:) instead of messages of the model's chat template.")
  var plain = false
  @Flag(
    help:
      "Annotate the equations of responses as GSM8K's are (5 + 8 = <<5+8=13>>13): the student learns to use the calculator."
  )
  var calculator = false
  @Option(help: "Share of the questions that are learnt from.") var share = 1.0
  @Option(help: "Number of passes over the examples.") var epochs = 3.0
  @Option(help: "Number of steps (default: as many as --epochs gives).") var steps: Int?
  @Option(help: "Number of examples of a step, on average.") var batch = 8
  @Option(help: "Maximum number of tokens of an example; longer ones are left out.") var context = 256
  @Option(help: "Largest number of tokens that are trained on in all.") var maximumTokens: Int?
  @Option(name: [.long, .customLong("lr")], help: "Peak learning rate (default: 2e-4; 1e-5 with --rank 0).")
  var learningRate: Double?
  @Option(help: "Rank of the adapters; 0 trains all parameters.") var rank = 16
  @Option(help: "Weight of the answers' loss in two-task training; rationales have the rest.") var alpha = 0.5
  @Option(help: "Random seed; the same seed repeats the run.") var seed = 1
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard ArmSettings.Method.offline.contains(method) else {
      throw ValidationError(
        "--method \(method.rawValue) lets the model write; use `martlet teach policy`, or answer-only, cot or two-task here"
      )
    }
    if !(share > 0 && share <= 1) { throw ValidationError("--share must be above 0 and at most 1") }
    if !(0...1).contains(alpha) { throw ValidationError("--alpha must be from 0 to 1") }
    if !(epochs > 0 && epochs <= 10_000) { throw ValidationError("--epochs must be above 0 and at most 10000") }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be above 0")
    }
    for (name, value, range) in [
      ("--steps", steps ?? 1, 1...1_000_000_000), ("--batch", batch, 1...4096), ("--context", context, 8...1_048_576),
      ("--maximum-tokens", maximumTokens ?? 1, 1...Int.max), ("--rank", rank, 0...4096),
      ("--seed", seed, 0...Int(UInt32.max)), ("--threads", threads ?? 1, 1...64),
    ] where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  private var arm: ArmSettings {
    var arm = ArmSettings(name: (out as NSString).lastPathComponent, method: method)
    arm.share = share
    arm.epochs = epochs
    arm.steps = steps
    arm.batch = batch
    arm.context = context
    arm.maximumTokens = maximumTokens
    arm.learningRate = learningRate
    arm.rank = rank
    arm.alpha = alpha
    return arm
  }

  func run() throws {
    if let threads { Parallel.width = threads }
    var source = QuestionSource(rows)
    source.splits = [split]
    source.tasks = task
    var read = try QuestionReader(folders: TeachingOptions.dataFolders, seed: seed).rows(of: source)
    guard !read.isEmpty else {
      throw TeachingError("\(rows) has no row of the split \(split); name another with --split")
    }
    let wrong = read.count { $0.isCorrect == false && $0.dropped == nil }
    if wrong > 0 {
      Terminal.note(
        "Warning: \(wrong) of \(read.count) responses have a wrong answer and are learnt from all the same; `martlet teach select` leaves them out"
      )
    }
    if calculator {
      for index in read.indices { read[index].response = read[index].response.map(CalculatedText.annotated) }
    }
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    let settings = StudentSettings(model: student, isChat: !plain, system: nil)
    let result = try ArmTraining(arm, student: settings, seed: seed, folder: out, start: start).run(
      read, isInterrupted: { Terminal.isInterrupted }
    ) { event in
      switch event {
      case .step(let step, let rate, let left):
        if !json {
          Terminal.note(
            String(
              format: "step %d  loss %.4f  %.0f tokens/s  %@ left", step.step, step.loss, rate,
              TrainingView.duration(left)))
        }
      case .resumed(let step): Terminal.note("resuming after step \(step)")
      default: break
      }
    }
    guard let result else {
      Terminal.note("Interrupted; what was done is saved. Give the same command to go on.")
      throw ExitCode(Terminal.interruptCode)
    }
    if json { return print(result.json.text) }
    print(
      "\(result.questions) questions, \(result.examples) examples, \(result.tokens) tokens in \(result.steps) steps: \(out)"
    )
    if result.tooLong > 0 {
      print("\(result.tooLong) examples are longer than --context \(context) and were left out.")
    }
    if result.incomplete > 0 {
      print("\(result.incomplete) rows lack what \(method.rawValue) needs and were left out.")
    }
  }
}
