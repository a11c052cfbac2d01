import MartletData
import MartletTensor

/// Linear classification: a new plane for every context, so that nothing but the exemplars can teach the classes.
public struct LinearTask: InContextTask {
  /// The number of coordinates.
  public let dimension: Int
  /// The problems of a file; empty where problems are drawn by the paper's algorithm.
  private let problems: [LinearProblem]
  private let path: String

  /// Problems by the paper's algorithm.
  /// - Parameter dimension: the number of coordinates, 2 to 64 in the paper.
  public init(dimension: Int) {
    self.dimension = dimension
    problems = []
    path = ""
  }

  /// The tasks of a file, one for each number of coordinates.
  /// - Throws: `FileError` that names the line.
  public static func read(_ lines: [JSONLines.Line], path: String) throws -> [LinearTask] {
    let problems = Dictionary(grouping: try lines.map(LinearProblem.init), by: \.dimension)
    return problems.sorted { $0.key < $1.key }.map { LinearTask(dimension: $0.key, problems: $0.value, path: path) }
  }

  private init(dimension: Int, problems: [LinearProblem], path: String) {
    self.dimension = dimension
    self.problems = problems
    self.path = path
  }

  public var name: String { "linear-\(dimension)" }
  public var naturalLabels: [String]? { nil }
  public var classCount: Int { 2 }

  public func domainTexts(_ count: Int, _ random: RandomSource) -> [String] {
    (0..<count).map {
      LinearProblem.Point(coordinates: LinearProblem.point(random, $0, dimension), gold: 0).text
    }
  }

  public func allows(_ setting: InContextSetting) -> Bool {
    if case .linear = setting { true } else { false }
  }

  public func context(
    _ key: ContextKey, shots: Int, setting: InContextSetting, queries: Int
  ) throws -> InContextContext {
    let random = RandomSource(seed: UInt64(bitPattern: Int64(key.seed))).stream("contexts of " + name).stream(key.block)
    let counts = balancedCounts(queries, classes: 2, from: key.block)
    let problem =
      problems.isEmpty
      ? LinearProblem(
        id: "\(name)-\(key.seed)-\(key.block)", dimension: dimension, shots: Self.mostShots(shots), queries: counts,
        random: random)
      : try problem(key, counts: counts, random)
    var left = [shots, shots]
    // Whatever the file holds: the first of each class.
    let chosen = problem.exemplars.filter { point in
      left[point.gold] -= 1
      return left[point.gold] >= 0
    }
    guard left.allSatisfy({ $0 <= 0 }) else {
      throw ProbeError(
        "\(path): problem \(problem.id) has fewer than \(shots) exemplars of a class; lower --shots, or leave the file out to draw problems"
      )
    }
    let order = random.stream("order").stream(shots).permutation(chosen.count)
    let queryOrder = random.stream("order of queries").permutation(problem.queries.count)
    return InContextContext(
      key: key, exemplars: order.map { .init(text: chosen[$0].text, shown: chosen[$0].gold) },
      queries: queryOrder.map { place in
        let point = problem.queries[place]
        return InContextQuery(id: "\(problem.id)/\(place)", text: point.text, gold: point.gold)
      })
  }

  /// Problems are drawn for this many exemplars, so that those of fewer are nested in those of more.
  private static func mostShots(_ shots: Int) -> Int { max(shots, 32) }

  /// A problem of the file for a context, with further queries by its own rule.
  private func problem(_ key: ContextKey, counts: [Int], _ random: RandomSource) throws -> LinearProblem {
    let order = RandomSource(seed: UInt64(bitPattern: Int64(key.seed))).stream("problems").permutation(problems.count)
    guard key.block < problems.count else {
      throw ProbeError(
        "\(path): there are \(problems.count) problems of \(dimension) coordinates, fewer than contexts; lower --contexts, or leave the file out to draw problems"
      )
    }
    var problem = problems[order[key.block]]
    let count = counts.reduce(0, +)
    guard count > 1 else { return problem }
    guard let rule = problem.rule else {
      throw ProbeError(
        "\(path): problem \(problem.id) asks one point and does not tell its rule (\"a\" and \"t\"), by which further points could be asked; give --queries 1"
      )
    }
    var missing = counts
    // The file's own point takes the place of one of its class.
    let gold = problem.queries[0].gold
    if missing[gold] == 0 { missing[1 - gold] -= 1 } else { missing[gold] -= 1 }
    guard let points = rule.points(missing, random.stream("further queries"), draws: 10_000_000) else {
      throw ProbeError("\(path): problem \(problem.id) leaves nearly no point on one side of its plane; leave it out")
    }
    problem.queries += points.flatMap { $0 }
    return problem
  }
}
