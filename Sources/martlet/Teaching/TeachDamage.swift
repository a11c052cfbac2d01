import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletReasoning
import MartletTensor

struct TeachDamage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "damage",
    abstract: "Measures what a student can do beside what it was taught.",
    discussion: """
      Puts rows of benchmark tasks to a student, and instructions whose fulfilment shows in the form of the answer, such as \
      "Answer with one word". --run names the folder of `martlet teach train`; without it the untouched student is measured, \
      with which `martlet teach report --damage` compares the others. Work is kept beside --output: the same command goes on \
      after any end.

      Example:
        martlet teach damage --student SmolLM2-135M-Instruct.Q4_1 --run thoughts-seed-1 --limit 100 --output damage-1.jsonl
        martlet teach damage --student SmolLM2-135M-Instruct.Q4_1 --limit 100 --output damage-0.jsonl
      """)

  @Option(help: "Path or name of the model that is asked; `box` is the built-in model.") var student: String
  @Option(help: "Folder of a run of `martlet teach train` whose result is asked.") var run: String?
  @Option(help: "Tasks of `martlet evaluate`, separated by commas; an empty text leaves them out.")
  var tasks = EvaluationSettings().damage.joined(separator: ",")
  @Option(help: "Largest number of rows of a task, from the first.") var limit = EvaluationSettings().damageLimit
  @Option(help: "Folder of the tasks' data (default: $MARTLET_DATA/eval).") var data: String?
  @Option(help: "File of instructions (default: those of the package).") var instructions: String?
  @Flag(help: "Leave the instructions out.") var noInstructions = false
  @Flag(help: "Put instructions as plain text (Q: … A:) instead of messages of the model's chat template.")
  var plain = false
  @Option(help: "System message that instructions are put with (default: none).") var system: String?
  @Option(name: .shortAndLong, help: "File for the results.") var output: String
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value, range) in [("--limit", limit, 1...Int.max), ("--threads", threads ?? 1, 1...64)]
    where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
    if noInstructions, instructions != nil { throw ValidationError("--instructions contradicts --no-instructions") }
    if noInstructions, tasks.trimmed.isEmpty { throw ValidationError("nothing is left to measure; name --tasks") }
  }

  func run() async throws {
    if let threads { Parallel.width = threads }
    try OutputTarget.check(output, replaces: force)
    let named = try tasks.split(separator: ",").flatMap { try EvaluationTask.named(String($0).trimmed) }
    let folder = try named.isEmpty ? "" : dataFolder()
    if let missing = named.lazy.compactMap({ $0.missingData(in: folder) }).first { throw missing }
    let check = noInstructions ? nil : try instructions.map(InstructionCheck.read) ?? .shipped
    let asked = StudentSettings(model: student, isChat: !plain, system: system)
    let evaluation = try DamageEvaluation(
      asked, trainedIn: run, tasks: named, limit: limit, data: folder, instructions: check)
    let answers = try await TeachingOptions.follow("measuring damage:", unit: "rows") { progress in
      try await evaluation.run(file: output, progress: progress)
    }
    try DamageEvaluation.write(answers, to: output, replaces: force)
    var names: [String] = []
    for answer in answers where !names.contains(answer.row.task) { names.append(answer.row.task) }
    let results = names.map { name -> (name: String, right: Int, count: Int) in
      let own = answers.filter { $0.row.task == name }
      return (name, own.count { $0.row.isCorrect == true }, own.count)
    }
    if json {
      return try Terminal.printJSON([
        "student": student, "run": run ?? "", "output": output,
        "results": results.map { result in
          let interval = ConfidenceInterval.wilson(result.right, of: result.count)
          return [
            "task": result.name, "rows": result.count, "correct": result.right,
            "accuracy": Double(result.right) / Double(result.count), "lower": interval.lower, "upper": interval.upper,
          ]
        } as [[String: Any]],
      ])
    }
    for (name, right, count) in results {
      let interval = ConfidenceInterval.wilson(right, of: count)
      print(
        String(
          format: "%@: %.1f %% [%.1f, %.1f] of %d", name.printable, 100 * Double(right) / Double(count),
          100 * interval.lower, 100 * interval.upper, count))
    }
  }

  private func dataFolder() throws -> String {
    if let data { return data }
    guard let shared = ProcessInfo.processInfo.environment["MARTLET_DATA"], !shared.isEmpty else {
      throw EvaluationError("there is no folder of data; give --data DIR, or set MARTLET_DATA to the folder above it")
    }
    return shared + "/eval"
  }
}
