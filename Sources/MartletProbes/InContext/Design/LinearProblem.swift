import MartletData
import MartletTensor

/// A division of a space by a plane, with points on both sides: a class is whether `a . x > t` (Wei et al., 2023, algorithm 1).
public struct LinearProblem: Sendable, Equatable {
  /// A point with its class: 0 at or below the threshold, 1 above.
  public struct Point: Sendable, Equatable {
    /// The coordinates.
    public var coordinates: [Int]
    /// The class.
    public var gold: Int

    /// The coordinates as a model reads them: `648, 626, 543`.
    public var text: String { coordinates.map { "\($0)" }.joined(separator: ", ") }
  }

  /// The identifier.
  public var id: String
  /// The points that are shown, as many of each class.
  public var exemplars: [Point]
  /// The points that are asked.
  public var queries: [Point]

  /// The largest coordinate; the smallest is 1.
  static let largest = 1000
  /// Draws of points after which another plane is taken: one that leaves nearly nothing on one side.
  /// - Parameter count: how many points are needed.
  private static func mostDraws(for count: Int) -> Int { max(20_000, 10 * count) }

  /// A problem by the paper's algorithm: coefficients a and a pivot p uniform in 1 to 1000, t = a . p, points drawn until there are enough
  /// on both sides.
  ///
  /// - Parameters:
  ///   - id: the name of the problem in rows.
  ///   - dimension: the number of coordinates, at least 1.
  ///   - shots: the number of exemplars of each class.
  ///   - queries: the number of queries of each class.
  ///   - random: what everything is drawn from.
  public init(id: String, dimension: Int, shots: Int, queries: [Int], random: RandomSource) {
    self.id = id
    let counts = [shots + queries[0], shots + queries[1]]
    var draw = 0
    // Planes that leave nearly nothing on one side are drawn again.
    while true {
      let plane = random.stream(draw)
      let a = Self.point(plane.stream("coefficients"), 0, dimension),
        p = Self.point(plane.stream("pivot"), 0, dimension)
      let rule = LinearRule(coefficients: a, threshold: zip(a, p).reduce(0) { $0 + $1.0 * $1.1 })
      if let points = rule.points(
        counts, plane.stream("points"), draws: Self.mostDraws(for: counts[0] + counts[1]))
      {
        exemplars = points.flatMap { $0.prefix(shots) }
        self.queries = points.flatMap { $0.dropFirst(shots) }
        return
      }
      draw += 1
    }
  }

  static func point(_ random: RandomSource, _ number: Int, _ dimension: Int) -> [Int] {
    (0..<dimension).map { 1 + random.integer(number * dimension + $0, below: largest) }
  }

  /// A line of a file: `{"N", "exemplars": [[[27, 249], 0], ...], "x", "label"}`, and with `"a"` and `"t"` the rule itself, by which further
  /// points can be asked.
  /// - Throws: `FileError` that names the line.
  init(_ line: JSONLines.Line) throws {
    guard let object = line.value.object, let dimension = object["N"]?.integer, dimension > 0,
      let list = object["exemplars"]?.array, let asked = Self.coordinates(object["x"], dimension),
      let gold = object["label"]?.integer, gold == 0 || gold == 1
    else {
      throw line.failure(
        "it is no problem of linear classification; give \"N\", \"exemplars\" as [[coordinates, 0 or 1], ...], \"x\" and \"label\" (0 or 1)"
      )
    }
    exemplars = try list.enumerated().map { place, entry in
      guard let pair = entry.array, pair.count == 2, let point = Self.coordinates(pair[0], dimension),
        let label = pair[1].integer, label == 0 || label == 1
      else { throw line.failure("exemplar \(place + 1) is not [\(dimension) whole numbers, 0 or 1]") }
      return Point(coordinates: point, gold: label)
    }
    queries = [Point(coordinates: asked, gold: gold)]
    id = object["id"]?.string ?? "\(line.number)"
    rule = nil
    if let a = Self.coordinates(object["a"], dimension), let t = object["t"]?.integer {
      let found = LinearRule(coefficients: a, threshold: t)
      for point in exemplars + queries where found.gold(point.coordinates) != point.gold {
        throw line.failure(
          "the point \(point.text) has the label \(point.gold), which \"a\" and \"t\" contradict; correct them")
      }
      rule = found
    }
  }

  /// The rule where a file tells it.
  private(set) var rule: LinearRule?

  var dimension: Int { exemplars.first?.coordinates.count ?? queries.first?.coordinates.count ?? 0 }

  private static func coordinates(_ value: JSONValue?, _ dimension: Int) -> [Int]? {
    guard let list = value?.array, list.count == dimension else { return nil }
    let numbers = list.compactMap(\.integer).filter { abs($0) <= 1 << 20 }
    return numbers.count == dimension ? numbers : nil
  }
}

/// A plane: the class of a point is whether `a . x > t`.
struct LinearRule: Sendable, Equatable {
  let coefficients: [Int]
  let threshold: Int

  func gold(_ point: [Int]) -> Int {
    zip(coefficients, point).reduce(0) { $0 &+ $1.0 &* $1.1 } > threshold ? 1 : 0
  }

  /// So many different points of each class; nil if they are not found in so many draws.
  func points(_ counts: [Int], _ random: RandomSource, draws: Int) -> [[LinearProblem.Point]]? {
    var found: [[LinearProblem.Point]] = [[], []]
    var number = 0
    while found[0].count < counts[0] || found[1].count < counts[1] {
      guard number < draws else { return nil }
      let point = LinearProblem.point(random, number, coefficients.count), gold = gold(point)
      number += 1
      if found[gold].count < counts[gold] { found[gold].append(.init(coordinates: point, gold: gold)) }
    }
    return found
  }
}
