import Foundation
import MartletEditing
import MartletEngine
import MartletEvaluation

/// The lifelong protocol: edits one after the other, then everything is asked with all edits in place.
public struct LifelongBenchmark: Sendable {
  public var rows: [EditRow]
  /// Questions that have nothing to do with the edits.
  public var unrelated: [String]
  /// Measures after every this many edits, and at the end.
  public var every: Int
  /// How much of an unrelated answer must stay the same.
  public var comparedTokens = 8
  /// Tokens that an answer may have beyond the label's before it counts as rambling.
  public var slack = 8

  public init(rows: [EditRow], unrelated: [String], every: Int = 0) {
    self.rows = rows
    self.unrelated = unrelated
    self.every = every
  }

  /// Shares of questions, after some number of edits.
  public struct Point: Sendable, Codable {
    public var edits: Int
    /// Keys kept.
    public var keys: Int
    /// Answers that come out word for word in free generation, on edit prompts and rewordings.
    public var reliability, generality: Double
    /// Tokens that match, the label being fed back: the yardstick of most papers.
    public var reliabilityForced, generalityForced: Double
    /// Answers that stayed as the unedited model gives them.
    public var nearLocality, farLocality: Double
    /// Questions on which an edit fired.
    public var fired: Fired

    public struct Fired: Sendable, Codable {
      public var edits, rewordings, near, far: Double
    }
  }

  public struct Report: Sendable, Codable {
    public var method: String
    public var rows: [String]
    public var points: [Point]
    /// Edits that came out right at once, those that were not needed, and those that could not be made.
    public var success: Double
    public var made, needless, refused: Int
    public var actions: [String: Int]
    public var medianSeconds, medianProcessorSeconds, meanIterations: Double
  }

  /// - Parameters:
  ///   - method: the method that is measured.
  ///   - setting: the model and its format of prompts.
  ///   - baseline: answers of the model without edits, where they are known already.
  ///   - progress: hears edits made, and of how many.
  public func run(
    _ method: any EditMethod, setting: MethodSetting, baseline: Baseline? = nil,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> Report {
    let baseline = try await { if let baseline { baseline } else { try await measureBaseline(setting) } }()
    var costs: [EditCost] = []
    var points: [Point] = []
    var (success, needless, refused) = (0, 0, 0)
    for (count, row) in rows.enumerated() {
      try Task.checkCancellation()
      let label = try setting.label(row.answer)
      if let cost = try await method.edit(row, label: label) {
        costs.append(cost)
        if cost.action == "none" { needless += 1 }
        let now = try await asked([row.prompt], labels: [label], answers: [row.answer], method, setting)
        success += now.right
      } else {
        refused += 1
      }
      progress(count + 1, rows.count)
      let isDue = every > 0 && (count + 1) % every == 0
      if isDue || count + 1 == rows.count {
        points.append(try await measure(Array(rows[...count]), method, setting, baseline))
      }
    }
    return Report(
      method: method.name, rows: rows.map(\.id), points: points, success: Double(success) / Double(max(1, rows.count)),
      made: costs.count - needless, needless: needless, refused: refused,
      actions: Dictionary(costs.map { ($0.action, 1) }, uniquingKeysWith: +),
      medianSeconds: costs.map(\.seconds).median, medianProcessorSeconds: costs.map(\.processorSeconds).median,
      meanIterations: costs.isEmpty ? 0 : Double(costs.reduce(0) { $0 + $1.iterations }) / Double(costs.count))
  }

  /// What the unedited model says to questions that no edit is about.
  public struct Baseline: Sendable {
    var near: [String: [Int]] = [:]
    var far: [String: [Int]] = [:]
  }

  public func measureBaseline(_ setting: MethodSetting) async throws -> Baseline {
    let engine = setting.engine()
    var baseline = Baseline()
    let near = rows.flatMap(\.neighbours)
    for (question, answer) in zip(
      near, try await tokens(near, engine) { try setting.request($0, limit: comparedTokens) })
    {
      baseline.near[question] = answer.tokens
    }
    for (question, answer) in zip(
      unrelated, try await tokens(unrelated, engine) { try setting.request($0, limit: comparedTokens) })
    {
      baseline.far[question] = answer.tokens
    }
    return baseline
  }

  private func measure(
    _ rows: [EditRow], _ method: any EditMethod, _ setting: MethodSetting, _ baseline: Baseline
  ) async throws -> Point {
    let labels = try rows.map { try setting.label($0.answer) }
    let edits = try await asked(rows.map(\.prompt), labels: labels, answers: rows.map(\.answer), method, setting)
    let reworded = zip(rows, labels).flatMap { row, label in row.rewordings.map { ($0, label, row.answer) } }
    let rewordings = try await asked(
      reworded.map(\.0), labels: reworded.map(\.1), answers: reworded.map(\.2), method, setting)
    func kept(_ questions: [String], _ before: [String: [Int]]) async throws -> (share: Double, fired: Double) {
      if questions.isEmpty { return (1, 0) }
      let answers = try await tokens(questions, method.engine) { try method.request($0, limit: comparedTokens) }
      let same = zip(questions, answers).count { before[$0] == $1.tokens }
      return (
        Double(same) / Double(questions.count), Double(answers.count { $0.edit != nil }) / Double(questions.count)
      )
    }
    let near = try await kept(rows.flatMap(\.neighbours), baseline.near)
    let far = try await kept(unrelated, baseline.far)
    func share(_ count: Int, _ all: Int) -> Double { all == 0 ? 0 : Double(count) / Double(all) }
    return Point(
      edits: rows.count, keys: method.keyCount, reliability: share(edits.right, rows.count),
      generality: share(rewordings.right, reworded.count), reliabilityForced: edits.forced,
      generalityForced: rewordings.forced, nearLocality: near.share, farLocality: far.share,
      fired: Point.Fired(
        edits: share(edits.fired, rows.count), rewordings: share(rewordings.fired, reworded.count), near: near.fired,
        far: far.fired))
  }

  /// Asks questions and counts answers that are right.
  private func asked(
    _ questions: [String], labels: [[Int]], answers: [String], _ method: any EditMethod, _ setting: MethodSetting
  ) async throws -> (right: Int, forced: Double, fired: Int) {
    var right = 0, fired = 0
    var forced = 0.0
    for start in stride(from: 0, to: questions.count, by: 48) {
      let group = start..<min(questions.count, start + 48)
      var requests: [Request] = []
      for index in group {
        // Without an end in the label, exactly its tokens are compared.
        let extra = setting.endsAnswers ? slack : 0
        requests.append(try method.request(questions[index], limit: labels[index].count + extra))
        var script = try method.request(questions[index], limit: labels[index].count)
        script.script = labels[index]
        script.endTokens = []
        script.stops = []
        script.logProbabilities = 1
        requests.append(script)
      }
      let streams = try method.engine.generate(requests)
      for (place, index) in group.enumerated() {
        let answer = try await EditAnswers.collect(streams[2 * place])
        let isRight =
          setting.endsAnswers
          ? answer.text == answers[index].trimmingCharacters(in: .whitespacesAndNewlines)
          : answer.completion.tokens == labels[index]
        right += isRight ? 1 : 0
        fired += answer.completion.edit == nil ? 0 : 1
        var hits = 0
        for try await event in streams[2 * place + 1] {
          if case .token(let token) = event, token.alternatives.first?.token == token.chosen.token { hits += 1 }
        }
        forced += Double(hits) / Double(max(1, labels[index].count))
      }
    }
    return (right, questions.isEmpty ? 0 : forced / Double(questions.count), fired)
  }

  private func tokens(
    _ questions: [String], _ engine: Engine, _ request: (String) throws -> Request
  ) async throws -> [(tokens: [Int], edit: FiredEdit?)] {
    var result: [(tokens: [Int], edit: FiredEdit?)] = []
    for start in stride(from: 0, to: questions.count, by: 96) {
      let answers = try await EditAnswers.read(
        questions[start..<min(questions.count, start + 96)].map(request), engine: engine)
      result += answers.map { ($0.completion.tokens, $0.completion.edit) }
    }
    return result
  }
}
