import ArgumentParser
import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletLaboratory
import MartletModels
import MartletSkeleton

struct SkeletonBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Compares the time of skeleton answers with that of normal answers.",
    discussion: """
      Both kinds are generated in turn for every question; with --repeats the medians are compared. A question is a line \
      {"text": "…", "category": "…"}. The proxies (repetition, novelty, compliance, ln p, on-topic) do not measure \
      quality; --judge-endpoint asks a model to judge it, after a test of the judge itself.

      Example: martlet skeleton bench vicuna80.jsonl --model model.gguf --mode auto
      """)

  @Argument(help: "JSONL file of questions.") var questions: String
  @OptionGroup var source: BackendOptions
  @OptionGroup var settings: SkeletonSettings
  @OptionGroup var sampling: SamplingOptions
  @Option(help: "Number of runs of each question, with and without a skeleton.") var repeats = 1
  @Option(help: "Number of questions to use; 0 uses all.") var limit = 0
  @Option(help: "OpenAI-compatible endpoint of a model that judges the answers.") var judgeEndpoint: String?
  @Option(help: "Name of the model that judges.") var judgeModel = "default"
  @Option(help: "Also write one JSON object for each question to this file.") var out: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if repeats < 1 || limit < 0 { throw ValidationError("--repeats must be at least 1, --limit 0 or more") }
  }

  func run() async throws {
    if let out { try OutputTarget.check(out, replaces: force) }
    var list = try BenchmarkQuestion.read(questions)
    if limit > 0 { list = Array(list.prefix(limit)) }
    guard !list.isEmpty else { throw SkeletonError("\(questions): it contains no questions") }
    let options = try settings.options()
    let (backend, engine) = try await source.backend(sampling: sampling.sampling(), prompts: options.prompts)
    let latency = engine.map { LatencyModel(measuring: $0.loaded.model) }
    let benchmark = SkeletonBenchmark(backend, engine: engine, options: options, latency: latency, repeats: repeats)
    Terminal.catchInterrupts()
    let progress = Progress("questions")
    var rows: [BenchmarkRow] = []
    if !json {
      print("id    category        normal s  skel. s  speed-up  tokens          points  how")
    }
    for question in list {
      if Terminal.isInterrupted { break }
      let row = try await benchmark.run(question)
      rows.append(row)
      progress.update(rows.count, of: list.count, unit: "questions", scale: 1)
      if !json {
        progress.finish()
        print(row.line)
      }
    }
    progress.finish()
    let verdicts = try await judge(rows)
    if let out {
      let lines = try rows.map {
        try JSONSerialization.data(withJSONObject: $0.json, options: [.sortedKeys]) + Data("\n".utf8)
      }
      try AtomicFile.write(lines.joined(), to: out, replaces: force)
    }
    let groups = [("all", rows)] + Dictionary(grouping: rows, by: \.question.category).sorted { $0.key < $1.key }
    if json {
      var object: [String: Any] = [
        "rows": rows.map(\.json), "groups": groups.map { Summary(name: $0.0, $0.1).json },
      ]
      if let verdicts { object["judge"] = verdicts.json }
      return try Terminal.printJSON(object)
    }
    print("\n" + Summary.head)
    for (name, rows) in groups { print(Summary(name: name, rows).line) }
    if let verdicts { print("\n" + verdicts.line) }
  }

  private func judge(_ rows: [BenchmarkRow]) async throws -> JudgeReport? {
    guard let judgeEndpoint else { return nil }
    var options = RemoteBackend.Options(
      endpoint: judgeEndpoint, model: judgeModel, key: ProcessInfo.processInfo.environment[source.keyVariable])
    options.sampling.temperature = 0
    let judge = SkeletonJudge(try RemoteBackend(options))
    let test = try await judge.selfTest(rows.prefix(5).map { ($0.question.text, $0.normal.answer) })
    var report = JudgeReport(test: test)
    guard test.isValid else { return report }
    for row in rows where row.skeleton.usedSkeleton {
      guard
        let (verdict, flipped) = try await judge.compare(
          row.question.text, row.skeleton.answer, with: row.normal.answer)
      else {
        report.silent += 1
        continue
      }
      if flipped { report.flips += 1 }
      switch verdict {
      case .better: report.wins += 1
      case .same: report.ties += 1
      case .worse: report.losses += 1
      }
    }
    return report
  }
}

/// What a judge said.
private struct JudgeReport {
  let test: SkeletonJudge.SelfTest
  var wins = 0, ties = 0, losses = 0, flips = 0, silent = 0

  var line: String {
    let own =
      "judge's own test: identical \(test.identicalTies), cut \(test.truncatedLoses), shuffled \(test.shuffledLoses) of \(test.pairs / 3) each, \(test.flips) contradictions, \(test.silent) without verdict"
    guard test.isValid else { return own + "\nthe judge failed its own test, so its verdicts are not reported" }
    let count = max(1, wins + ties + losses)
    return own
      + String(
        format: "\nskeleton wins %d, ties %d, loses %d (net %+.1f %%), %d contradictions, %d without verdict", wins,
        ties,
        losses, Double(wins - losses) * 100 / Double(count), flips, silent)
  }

  var json: [String: Any] {
    [
      "valid": test.isValid, "identical_ties": test.identicalTies, "truncated_loses": test.truncatedLoses,
      "shuffled_loses": test.shuffledLoses, "wins": wins, "ties": ties, "losses": losses, "flips": flips,
    ]
  }
}

extension BenchmarkRow {
  fileprivate var line: String {
    let how = skeleton.usedSkeleton ? "skeleton" : skeleton.reason.map { "\($0)" } ?? ""
    let tokens =
      "\(normal.normalTokens) / "
      + (skeleton.usedSkeleton ? "\(skeleton.skeletonTokens)+\(skeleton.pointTokens)" : "\(skeleton.normalTokens)")
    return String(
      format: "%@ %@ %8.2f %8.2f %8.2fx  %@ %5d   %@", question.id.padding(toLength: 5, withPad: " ", startingAt: 0),
      question.category.padding(toLength: 15, withPad: " ", startingAt: 0), normalSeconds, skeletonSeconds, speedUp,
      tokens.padding(toLength: 16, withPad: " ", startingAt: 0), skeleton.points.count, how)
  }

  fileprivate var json: [String: Any] {
    var object: [String: Any] = [
      "id": question.id, "category": question.category, "question": question.text, "speedup": speedUp,
      "length_ratio": lengthRatio, "normal": normal.json(normal: nil), "skeleton": skeleton.json(normal: nil),
      "proxies": [
        "normal": normalProxies.json, "skeleton": skeletonProxies.json,
      ],
    ]
    if let modelSeconds { object["model_seconds"] = modelSeconds }
    if let normalLogProbability { object["normal_log_probability"] = normalLogProbability }
    if let skeletonLogProbability { object["skeleton_log_probability"] = skeletonLogProbability }
    if let onTopic { object["on_topic"] = onTopic }
    return object
  }
}

extension AnswerProxies {
  fileprivate var json: [String: Any] {
    var object: [String: Any] = ["distinct_pairs": distinctPairs, "repeated_sentences": repeatedSentences]
    if let novelty { object["novelty"] = novelty }
    if let compliance { object["compliance"] = compliance }
    return object
  }
}

/// Means over some questions.
private struct Summary {
  let name: String
  let rows: [BenchmarkRow]

  init(name: String, _ rows: [BenchmarkRow]) {
    self.name = name
    self.rows = rows
  }

  static let head =
    "category          n  routed  used  speed-up (used)  worst  model  length  repeats n/s   novelty  comply  topic  ln p n/s"

  private func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }
  private var used: [BenchmarkRow] { rows.filter(\.skeleton.usedSkeleton) }
  private var routed: Int {
    rows.count { row in
      switch row.skeleton.reason {
      case .router, .asked: false
      default: true
      }
    }
  }

  var line: String {
    func text(_ value: Double, _ format: String = "%.2f") -> String {
      value.isNaN ? "-" : String(format: format, value)
    }
    let columns: [(String, Int)] = [
      (name, 15), ("\(rows.count)", 4), ("\(routed)", 8), ("\(used.count)", 6),
      ("\(text(mean(rows.map(\.speedUp)))) (\(text(mean(used.map(\.speedUp)))))", 17),
      (text(rows.map(\.speedUp).min() ?? .nan), 7),
      (text(mean(used.compactMap { row in row.modelSeconds.map { row.skeletonSeconds / $0 } })), 7),
      (text(mean(used.map(\.lengthRatio))), 8),
      (
        "\(text(mean(used.map(\.normalProxies.repeatedSentences))))/\(text(mean(used.map(\.skeletonProxies.repeatedSentences))))",
        14
      ), (text(mean(used.compactMap(\.skeletonProxies.novelty))), 9),
      (text(mean(used.compactMap(\.skeletonProxies.compliance))), 8), (text(mean(used.compactMap(\.onTopic))), 7),
      (
        "\(text(mean(used.compactMap(\.normalLogProbability))))/\(text(mean(used.compactMap(\.skeletonLogProbability))))",
        0
      ),
    ]
    return columns.map { $0.padding(toLength: max($0.count, $1), withPad: " ", startingAt: 0) }.joined(separator: " ")
  }

  var json: [String: Any] {
    func value(_ values: [Double]) -> Any { values.isEmpty ? NSNull() : mean(values) as Any }
    var reasons: [String: Int] = [:]
    for row in rows { if let reason = row.skeleton.reason { reasons["\(reason)", default: 0] += 1 } }
    return [
      "name": name, "questions": rows.count, "routed": routed, "used": used.count, "fallbacks": reasons,
      "speedup": value(rows.map(\.speedUp)), "speedup_used": value(used.map(\.speedUp)),
      "worst_speedup": rows.map(\.speedUp).min() ?? 0, "length_ratio": value(used.map(\.lengthRatio)),
      "measured_over_model": value(used.compactMap { row in row.modelSeconds.map { row.skeletonSeconds / $0 } }),
      "novelty": value(used.compactMap(\.skeletonProxies.novelty)),
      "compliance": value(used.compactMap(\.skeletonProxies.compliance)), "on_topic": value(used.compactMap(\.onTopic)),
    ]
  }
}
