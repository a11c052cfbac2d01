import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletSkeleton
import MartletTokenizers

/// What both ways took on one question.
public struct BenchmarkRow: Sendable {
  public let question: BenchmarkQuestion
  public let normal: SkeletonReport
  public let skeleton: SkeletonReport
  /// Medians over the repeats.
  public let normalSeconds: Double, skeletonSeconds: Double
  public let modelSeconds: Double?
  public let normalProxies: AnswerProxies, skeletonProxies: AnswerProxies
  /// Mean ln p of the answers' tokens given the question, under the same model.
  public var normalLogProbability: Double?, skeletonLogProbability: Double?
  /// Cosine of points and question; nil without points.
  public var onTopic: Double?

  public var speedUp: Double { normalSeconds / skeletonSeconds }
  public var lengthRatio: Double {
    Double(skeleton.answer.count) / Double(max(1, normal.answer.count))
  }
}

/// Runs questions both ways, in turn.
public struct SkeletonBenchmark: Sendable {
  let backend: any SkeletonBackend
  let engine: Engine?
  let options: SkeletonOptions
  let latency: LatencyModel?
  let repeats: Int

  public init(
    _ backend: any SkeletonBackend, engine: Engine?, options: SkeletonOptions, latency: LatencyModel?, repeats: Int
  ) {
    self.backend = backend
    self.engine = engine
    self.options = options
    self.latency = latency
    self.repeats = repeats
  }

  public func run(_ question: BenchmarkQuestion) async throws -> BenchmarkRow {
    var off = options
    off.mode = .off
    var normals: [SkeletonReport] = [], skeletons: [SkeletonReport] = []
    for turn in 0..<repeats {
      // The order alternates, so that neither is favoured by what came before.
      for way in turn % 2 == 0 ? [false, true] : [true, false] {
        engine?.clearPromptCache()
        let report = try await answer(question.text, way ? options : off)
        if way { skeletons.append(report) } else { normals.append(report) }
      }
    }
    let normal = Self.middle(normals), skeleton = Self.middle(skeletons)
    let races = options.racesNormal ?? (options.mode == .auto && backend.runsTogetherCheaply)
    let texts = skeleton.points.map(\.text)
    var row = BenchmarkRow(
      question: question, normal: normal, skeleton: skeleton, normalSeconds: normal.seconds,
      skeletonSeconds: skeleton.seconds, modelSeconds: latency?.seconds(skeleton, races: races),
      normalProxies: AnswerProxies(normal.answer),
      skeletonProxies: AnswerProxies(skeleton.answer, points: skeleton.usedSkeleton ? texts : []))
    if let engine {
      row.normalLogProbability = try await Self.logProbability(normal.answer, question.text, engine)
      row.skeletonLogProbability = try await Self.logProbability(skeleton.answer, question.text, engine)
      if skeleton.usedSkeleton { row.onTopic = try await Self.onTopic(skeleton.points, question.text, engine) }
    }
    return row
  }

  private func answer(_ question: String, _ options: SkeletonOptions) async throws -> SkeletonReport {
    for try await event in SkeletonRun(backend, options: options).answer([ChatMessage(.user, question)]) {
      if case .finished(let report) = event { return report }
    }
    throw CancellationError()
  }

  /// The report whose time is the median.
  private static func middle(_ reports: [SkeletonReport]) -> SkeletonReport {
    reports.sorted { $0.seconds < $1.seconds }[reports.count / 2]
  }

  private static func logProbability(_ answer: String, _ question: String, _ engine: Engine) async throws -> Double? {
    let loaded = engine.loaded
    let prompt = try loaded.chatFormat.encode([ChatMessage(.user, question)], tokenizer: loaded.tokenizer)
    var tokens = prompt + loaded.tokenizer.encode(answer, special: false)
    if let limit = loaded.model.description.contextLength { tokens = Array(tokens.prefix(limit - 1)) }
    guard tokens.count > prompt.count else { return nil }
    let scores = try await engine.logProbabilities(of: tokens).dropFirst(prompt.count - 1)
    return scores.reduce(0) { $0 + Double($1) } / Double(scores.count)
  }

  private static func onTopic(
    _ points: [SkeletonReport.PointReport], _ question: String, _ engine: Engine
  ) async throws -> Double? {
    func vector(_ text: String) async throws -> [Float]? {
      let tokens = engine.loaded.tokenizer.encode(text, special: false)
      return tokens.isEmpty ? nil : try await engine.embedding(of: tokens)
    }
    guard let target = try await vector(question) else { return nil }
    var sum = 0.0, count = 0.0
    for point in points {
      guard let own = try await vector(point.text) else { continue }
      func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
      sum += dot(own, target) / (dot(own, own) * dot(target, target)).squareRoot()
      count += 1
    }
    return count > 0 ? sum / count : nil
  }
}
