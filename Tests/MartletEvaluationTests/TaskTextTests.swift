import Foundation
import MartletData
import MartletEvaluation
import MartletTestSupport
import Testing

/// Texts beside those of lm-evaluation-harness: on rows of our own in the forms of the public data sets, and on the data of
/// `MARTLET_DATA` where `MARTLET_ORACLE16` names a folder with the harness's texts.
struct TaskTextTests {
  private static let folder = TestData.fixtures + "/evaluation"

  @Test func formsOfPublicDataGiveTheHarnesssTexts() throws {
    let lines = try JSONLines.read(Self.folder + "/expected.jsonl")
    #expect(lines.count == 53)
    for (name, lines) in Dictionary(grouping: lines, by: { $0.value["task"]?.string ?? "" }) {
      let shots = lines[0].value["shots"]?.integer
      let task = try #require(try EvaluationTask.named(name).first)
      let rows = try task.rows(in: Self.folder, presentation: RowPresentation(shots: shots))
      try #require(rows.count == lines.count, "\(name)")
      for (row, line) in zip(rows, lines) { try check(row, line) }
    }
  }

  private func check(_ row: EvaluationRow, _ line: JSONLines.Line) throws {
    #expect(row.number == line.value["row"]?.integer, "\(line.place)")
    if case .generation(let request) = row.question {
      #expect(request.context == line.value["context"]?.string, "\(line.place)")
      #expect(request.stops == line.value["stops"]?.array?.compactMap(\.string), "\(line.place)")
      #expect(row.gold == line.value["gold"], "\(line.place)")
      return
    }
    let expected = line.value["requests"]?.array?.compactMap { $0.array?.compactMap(\.string) } ?? []
    #expect(row.requests.map { [$0.context, $0.continuation] } == expected, "\(line.place)")
    // The harness keeps the text of a name where a row of ReCoRD has the place.
    if line.value["task"]?.string != "record" { #expect(row.gold == line.value["gold"], "\(line.place)") }
  }

  // MARK: The data at hand

  private static let oracle = ProcessInfo.processInfo.environment["MARTLET_ORACLE16"]

  private static func files(in folder: String) -> [String] {
    guard let oracle, TestData.shared != nil else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(oracle)/\(folder)")) ?? []
    return names.filter { $0.hasSuffix(".jsonl") }.sorted().map { "\(oracle)/\(folder)/\($0)" }
  }

  @Test(.enabled(if: oracle != nil && TestData.shared != nil), arguments: files(in: "rows"))
  func rowsAreTheHarnesss(_ file: String) throws {
    let lines = try JSONLines.read(file)
    let name = try #require(lines.first?.value["task"]?.string)
    let task = try #require(try EvaluationTask.named(name).first)
    let rows = try task.rows(in: try #require(TestData.shared) + "/eval", limit: lines.count)
    try #require(rows.count == lines.count)
    for (row, line) in zip(rows, lines) {
      let requests = try #require(line.value["requests"]?.array)
      if case .generation(let request) = row.question {
        #expect(request.context == requests.first?["context"]?.string, "\(line.place)")
        let result = try row.result(generated: try #require(line.value["generated"]?.string))
        // Word problems of one step are compared as numbers here.
        for (filter, value) in line.value["exact_match"]?.object?.members.map({ ($0.key, $0.value.number) }) ?? []
        where name != "svamp" {
          #expect(result.values["exact_match,\(filter)"] == value, "\(line.place)")
        }
        continue
      }
      #expect(
        row.requests.map { [$0.context, $0.continuation] }
          == requests.map { [$0["context"]?.string ?? "", $0["continuation"]?.string ?? ""] }, "\(line.place)")
      let scores = requests.map {
        ContinuationScore(
          logLikelihood: $0["log_likelihood"]?.number ?? .nan, isGreedy: $0["is_greedy"]?.bool ?? false,
          tokenLogLikelihoods: [])
      }
      let result = try row.result(scores: scores)
      #expect(result.prediction == line.value["prediction"], "\(line.place)")
      if line.value["prediction_norm"]?.integer != nil {
        #expect(
          result.normalizedPrediction == line.value["prediction_norm"] && row.gold == line.value["gold"],
          "\(line.place)")
      }
    }
  }

  /// A file `TASK.K.same.jsonl` holds draws from the rows themselves without the question, `TASK.K.jsonl` those of the task's file in the
  /// harness, which may draw from the test's rows with the question among them where the training rows are not at hand.
  @Test(.enabled(if: oracle != nil && TestData.shared != nil), arguments: files(in: "fewshot"))
  func examplesAreTheHarnesss(_ file: String) throws {
    let parts = URL(fileURLWithPath: file).lastPathComponent.split(separator: ".").map(String.init)
    let isSame = parts.contains("same")
    let withoutTrainingRows = ["arc_easy", "arc_challenge", "openbookqa", "pawsx_en", "arithmetic", "svamp"]
    let inBoth = ["piqa", "hellaswag", "winogrande", "triviaqa", "commonsense_qa", "copa", "boolq"]
    guard withoutTrainingRows.contains(parts[0]) == isSame || inBoth.contains(parts[0]) else { return }
    let lines = try JSONLines.read(file)
    let task = try #require(try EvaluationTask.named(parts[0]).first)
    let rows = try task.rows(
      in: try #require(TestData.shared) + "/eval", limit: lines.count,
      presentation: RowPresentation(shots: Int(parts[1])))
    for (row, line) in zip(rows, lines) {
      let context = line.value["context"]
      let expected = context?.array?.compactMap(\.string) ?? [context?.string ?? ""]
      var contexts = row.requests.map(\.context)
      if case .generation(let request) = row.question { contexts = [request.context] }
      #expect(expected.count == 1 ? contexts.allSatisfy { $0 == expected[0] } : contexts == expected, "\(line.place)")
    }
  }

  @Test(.enabled(if: TestData.shared != nil))
  func everyTaskWhoseDataAreHereHasItsRows() throws {
    let folder = try #require(TestData.shared) + "/eval"
    let counts = [
      "lambada_openai": 5153, "piqa": 1838, "hellaswag": 4000, "arc_challenge": 1172, "openbookqa": 500,
      "winogrande": 1267,
      "wsc273": 273, "copa": 100, "boolq": 500, "xcopa_ta": 500, "xwinograd_zh": 16, "xwinograd_fr": 83,
      "pawsx_ko": 1999,
      "gsm8k": 1319, "svamp": 1000, "mgsm_direct_th": 250, "bbh_cot_fewshot_snarks": 178, "orca_gsm8k_cautious": 1319,
    ]
    for (name, count) in counts {
      let task = try #require(try EvaluationTask.named(name).first)
      #expect(task.missingData(in: folder) == nil)
      let rows = try task.rows(in: folder)
      #expect(name == "pawsx_ko" ? rows.count > 1900 : rows.count == count, "\(name): \(rows.count)")
    }
    #expect(try EvaluationTask.named("orca").filter { $0.missingData(in: folder) == nil }.count == 27 + 1 + 2)
  }
}
