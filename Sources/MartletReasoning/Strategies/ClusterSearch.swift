import MartletData
import MartletEngine
import MartletModels
import MartletTensor

/// Finds clusters of questions by the mean hidden states of a model, for a person to confirm (k-means++; Arthur and Vassilvitskii, 2007).
public struct ClusterSearch: Sendable {
  /// The number of clusters.
  public var count: Int
  /// The seed of the first centres.
  public var seed: Int

  /// A search for some clusters.
  public init(count: Int, seed: Int = 1) {
    self.count = count
    self.seed = seed
  }

  /// Reads every question and groups them.
  /// - Parameters:
  ///   - rows: the questions.
  ///   - engine: the model whose hidden states tell questions apart.
  ///   - progress: called after each question.
  ///   - strategies: the strategies that clusters may be given.
  /// - Returns: a file of strategies that nobody has confirmed: clusters with their questions, the nearest to the centre as examples.
  /// - Throws: ``TeachingError`` where there are fewer questions than clusters.
  public func run(
    _ rows: [TeachingRow], engine: Engine, strategies: StrategyTable,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) async throws -> JSONValue {
    var seen: Set<String> = []
    let rows = rows.filter { seen.insert($0.id).inserted }
    guard count >= 1, rows.count >= count else {
      throw TeachingError("\(rows.count) questions cannot form \(count) clusters; ask for fewer")
    }
    var points: [[Float]] = []
    let limit = engine.loaded.model.description.contextLength.map { $0 - 1 } ?? 512
    for row in rows {
      let tokens = PromptFormat.raw(row.question, for: engine.loaded).prefix(min(limit, 512))
      points.append(try await engine.embedding(of: Array(tokens)))
      try progress(points.count, rows.count)
    }
    let groups = Self.groups(Self.standardized(points), count: count, seed: seed)
    var object = JSONObject()
    object.append("confirmed", false)
    for member in strategies.json.object?.members ?? [] where member.key != "clusters" {
      object.append(member.key, member.value)
    }
    object.append(
      "clusters",
      .array(
        groups.enumerated().map { number, group in
          [
            "cluster": .string("cluster \(number + 1)"),
            "examples": .array(group.prefix(5).map { .string(rows[$0].question) }),
            "strategy": .string(strategies.strategies.first?.id ?? ""),
            "questions": .array(group.map { .string(rows[$0].id) }.sorted { $0.text < $1.text }),
          ]
        }))
    return .object(object)
  }

  /// Every feature less its mean, and every point of length 1, so that no feature that all texts share decides.
  static func standardized(_ points: [[Float]]) -> [[Float]] {
    guard let width = points.first?.count, width > 0 else { return points }
    var mean = [Float](repeating: 0, count: width)
    for point in points { for place in 0..<width { mean[place] += point[place] / Float(points.count) } }
    return points.map { point in
      let moved = zip(point, mean).map { $0 - $1 }
      let length = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return length > 0 ? moved.map { $0 / length } : moved
    }
  }

  /// Groups of points by Lloyd's algorithm; in each group the nearest to its centre comes first.
  static func groups(_ points: [[Float]], count: Int, seed: Int) -> [[Int]] {
    guard !points.isEmpty, count >= 1 else { return [] }
    func distance(_ one: [Float], _ other: [Float]) -> Double {
      zip(one, other).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    }
    let random = RandomSource(seed: UInt64(max(0, seed))).stream("clusters")
    var centres = [points[random.integer(0, below: points.count)]]
    while centres.count < min(count, points.count) {
      let distances = points.map { point in centres.map { distance(point, $0) }.min() ?? 0 }
      var target = random.uniform(centres.count) * distances.reduce(0, +)
      let place = distances.firstIndex { value in
        target -= value
        return target < 0
      }
      centres.append(points[place ?? points.count - 1])
    }
    var owners: [Int] = []
    for _ in 0..<100 {
      let next = points.map { point in
        let distances = centres.map { distance(point, $0) }
        return distances.firstIndex(of: distances.min() ?? 0) ?? 0
      }
      if next == owners { break }
      owners = next
      for centre in centres.indices {
        let own = points.indices.filter { owners[$0] == centre }
        guard !own.isEmpty else { continue }
        centres[centre] = centres[centre].indices.map { feature in
          own.reduce(0) { $0 + points[$1][feature] } / Float(own.count)
        }
      }
    }
    return centres.indices.map { centre in
      points.indices.filter { owners[$0] == centre }
        .sorted { (distance(points[$0], centres[centre]), $0) < (distance(points[$1], centres[centre]), $1) }
    }.filter { !$0.isEmpty }
  }
}
