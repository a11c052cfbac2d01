import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletLaboratory
import MartletModels

extension PromptFormat: ExpressibleByArgument {}
extension CodebookRules: ExpressibleByArgument {}
extension ValueTraining.Start: ExpressibleByArgument {}

struct EditBench: AsyncParsableCommand {
  enum Method: String, CaseIterable, ExpressibleByArgument {
    case martlet, grace, ft
    case ftEWC = "ft-ewc"
    case ftRetrain = "ft-retrain"
    case `defer`, memory, retrieval
  }

  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract:
      "Runs the lifelong editing benchmark: makes edits one after the other, then asks all questions with all edits.",
    discussion: """
      Example: martlet edit bench model.gguf zsre.jsonl.gz --unrelated nq_open_dev.jsonl.gz --limit 1000
      """)

  @OptionGroup var options: ModelOptions
  @Argument(
    help: "JSONL file of edits (zsRE, CounterFact, KnowEdit, or {\"prompt\", \"answer\", \"rephrase\", \"near\"}).")
  var data: String
  @Option(help: "File of questions that are unrelated to all edits.") var unrelated: String?
  @Option(parsing: .upToNextOption, help: "Methods to run: \(Method.allCases.map(\.rawValue).joined(separator: ", ")).")
  var methods: [Method] = [.martlet]
  @Option(help: "Prompt format: chat, question or raw.") var promptFormat = PromptFormat.chat
  @Option(help: "Number of rows to use; 0 uses all.") var limit = 0
  @Option(help: "Number of rows to skip at the start.") var skip = 0
  @Option(help: "Number of unrelated questions to use; 0 uses all.") var unrelatedLimit = 0
  @Option(help: "Number of unrelated questions to skip at the start.") var unrelatedSkip = 0
  @Option(help: "Number of edits between measurements; 0 measures only at the end.") var every = 0
  @Option(help: "Rules of plain GRACE: paper, reference, easyedit or nearest.") var rules = CodebookRules.paper
  @Option(help: "Initial radius of plain GRACE.") var radius: Float = 1
  @Option(help: "Training steps of an edit of plain GRACE.") var iterations = 50
  @Option(help: "Stop the training of plain GRACE when the answer is right and the loss is below this value.")
  var stopLoss: Double?
  @Option(help: "Learning rate of fine-tuning.") var tuningRate = 1e-3
  @Option(help: "Number of paraphrases of each question that the model generates in Martlet's method, 0 to 4.")
  var ownRewordings = 0
  @Option(help: "Seed of the random initial values (plain GRACE).") var seed: UInt64 = 0
  @Flag(help: "Replace the activations of all prompt tokens but the last (plain GRACE).") var replacePrompt = false
  @Flag(help: "Use only the first row of each subject.") var distinctSubjects = false
  @Flag(help: "Train labels without an end token, and compare only as many tokens as the label has.") var openEnd =
    false
  @Option(help: "Also write the report as JSON to this file.") var out: String?
  @Option(help: "Also draw the curves on this HTML page.") var page: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print a JSON list with one object for each method.") var json = false

  func validate() throws {
    for (name, value) in [
      ("--limit", limit), ("--skip", skip), ("--unrelated-limit", unrelatedLimit), ("--unrelated-skip", unrelatedSkip),
      ("--every", every),
    ] where value < 0 { throw ValidationError("\(name) must be 0 or more") }
    if !(1...100_000).contains(iterations) { throw ValidationError("--iterations must be from 1 to 100000") }
    if !(radius > 0 && radius.isFinite) { throw ValidationError("--radius must be above 0") }
    if !(tuningRate > 0 && tuningRate.isFinite) { throw ValidationError("--tuning-rate must be above 0") }
    if let stopLoss, !(stopLoss >= 0 && stopLoss.isFinite) { throw ValidationError("--stop-loss must be 0 or more") }
    if !(0...Editor.mostOwnRewordings).contains(ownRewordings) {
      throw ValidationError("--own-rewordings must be from 0 to \(Editor.mostOwnRewordings)")
    }
    if methods.isEmpty { throw ValidationError("--methods needs at least one method") }
  }

  func run() async throws {
    for path in [out, page].compactMap(\.self) { try OutputTarget.check(path, replaces: force) }
    var rows = Array(try EditRow.read(data).dropFirst(skip))
    if distinctSubjects {
      var seen: Set<String> = []
      rows = rows.filter { seen.insert($0.subject ?? $0.prompt).inserted }
    }
    var seen: Set<String> = []
    rows = rows.filter { seen.insert($0.prompt).inserted }
    if limit > 0 { rows = Array(rows.prefix(limit)) }
    guard !rows.isEmpty else {
      throw EditError("\(data): no rows are left after --skip, --limit and --distinct-subjects")
    }
    var far = try unrelated.map { Array(try EditRow.questions($0).dropFirst(unrelatedSkip)) } ?? []
    if unrelatedLimit > 0 { far = Array(far.prefix(unrelatedLimit)) }
    let loaded = try options.load()
    let model = try loaded.editable
    let setting = MethodSetting(loaded, site: EditSite(model, format: promptFormat), endsAnswers: !openEnd)
    let benchmark = LifelongBenchmark(rows: rows, unrelated: far, every: every)
    let baseline = try await benchmark.measureBaseline(setting)
    var reports: [LifelongBenchmark.Report] = []
    for method in methods {
      let progress = Progress("\(method.rawValue): edits")
      let report = try await benchmark.run(try make(method, setting), setting: setting, baseline: baseline) {
        progress.update($0, of: $1, unit: "edits", scale: 1)
      }
      progress.finish()
      reports.append(report)
      if !json { show(report) }
    }
    let data = try JSONEncoder.snakeCase.encode(reports)
    if let page { try AtomicFile.write(LifelongPage.html(reports).utf8, to: page, replaces: force) }
    if let out { try AtomicFile.write(data, to: out, replaces: force) }
    if json { StandardOutput.write(data + Data("\n".utf8)) }
  }

  private func make(_ method: Method, _ setting: MethodSetting) throws -> any EditMethod {
    switch method {
    case .martlet:
      return try MartletMethod(
        setting, store: NSTemporaryDirectory() + "martlet-bench-\(UUID().uuidString).sqlite",
        ownRewordings: ownRewordings)
    case .ft, .ftEWC, .ftRetrain:
      return try FineTuningMethod(
        setting, kind: FineTuningMethod.Kind(rawValue: method.rawValue) ?? .plain, learningRate: tuningRate)
    case .defer, .memory:
      return try SideMethod(setting, kind: SideMethod.Kind(rawValue: method.rawValue) ?? .defer)
    case .retrieval: return RetrievalMethod(setting)
    case .grace:
      return try GraceMethod(
        setting, rules: rules, radius: radius,
        training: ValueTraining(iterations: iterations, stopLoss: stopLoss, seed: seed), replacesPrompt: replacePrompt)
    }
  }

  private func show(_ report: LifelongBenchmark.Report) {
    print(
      "\(report.method): \(report.made) edits made, \(report.needless) needless, \(report.refused) refused; "
        + String(
          format: "ES %.3f, median %.2f s (%.2f CPU s), %.1f steps", report.success, report.medianSeconds,
          report.medianProcessorSeconds, report.meanIterations))
    print("  edits  keys   ERR   GEN   (forced)      near    far   fired: edit  reword near  far")
    for p in report.points {
      print(
        String(
          format: "  %5d %5d  %.3f %.3f  (%.3f %.3f)  %.3f  %.3f        %.3f %.3f %.3f %.3f", p.edits, p.keys,
          p.reliability, p.generality, p.reliabilityForced, p.generalityForced, p.nearLocality, p.farLocality,
          p.fired.edits, p.fired.rewordings, p.fired.near, p.fired.far))
    }
  }
}
