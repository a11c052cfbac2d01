import MartletData

/// Accuracies of a task over something that is varied: the number of questions that were learnt from, or the length of those asked.
public struct TeachingCurve: Sendable {
  /// What is varied.
  public enum Axis: Sendable, Equatable {
    /// The number of questions that an arm has learnt from; the arms differ in their share of the questions alone.
    case questions
    /// The length of the questions asked, such as the number of names: that of the rows, or the number at the end of the split's name.
    case length
    /// The splits in their order, where nothing says their length.
    case order([String])

    /// The label of the axis.
    public var name: String {
      switch self {
      case .questions: "questions learnt from"
      case .length: "length of the question"
      case .order(let splits): "split: " + splits.enumerated().map { "\($0 + 1) is \($1)" }.joined(separator: ", ")
      }
    }
  }

  /// A point.
  public struct Point: Sendable, Equatable {
    /// The place on the axis.
    public var x: Double
    /// The accuracy.
    public var accuracy: TeachingReport.Estimate
    /// The arm and the split that were measured.
    public var arm: String, split: String
  }

  /// The points of one arm, or of arms that differ in their share of the questions alone.
  public struct Line: Sendable, Equatable {
    /// The name: of the arm, or of the one that learnt from the most questions.
    public var name: String
    /// The points by their place.
    public var points: [Point]
  }

  /// The task, and the split where the curve is of one.
  public var task: String, split: String?
  /// What is varied.
  public var axis: Axis
  /// The lines.
  public var lines: [Line]

  /// The curves over lengths: one for each task that was asked on several splits of which one is beyond what was taught.
  static func overLengths(_ cells: [TeachingReport.Cell], lengths: [[String]: Double]) -> [TeachingCurve] {
    unique(cells.map(\.task)).compactMap { task in
      let own = cells.filter { $0.task == task }
      let splits = unique(own.map(\.split))
      guard splits.count > 1, splits.contains(where: { $0.contains("_ood") || lengths[[task, $0]] != nil }) else {
        return nil
      }
      let told = splits.map { lengths[[task, $0]] }, named = splits.map(number)
      let places: [Double], axis: Axis
      if let known = all(told) ?? all(named), Set(known).count == splits.count {
        (places, axis) = (known, .length)
      } else {
        (places, axis) = (splits.indices.map { Double($0 + 1) }, .order(splits))
      }
      return TeachingCurve(
        task: task, split: nil, axis: axis,
        lines: unique(own.map(\.arm)).compactMap { arm in
          line(arm, own.filter { $0.arm == arm }) { cell in splits.firstIndex(of: cell.split).map { places[$0] } }
        })
    }
  }

  /// The curves over the number of questions: one for each task and split on which arms were asked that differ in their share alone.
  static func overQuestions(_ cells: [TeachingReport.Cell], _ training: [ArmTrainingResult]) -> [TeachingCurve] {
    let runs = training.map { (arm: TeachingReport.armName($0.arm, seed: $0.seed), result: $0) }
    let series = unique(runs.compactMap(\.result.settings)).compactMap { settings -> [String: Double]? in
      let own = runs.filter { $0.result.settings == settings }
      let questions = Dictionary(own.map { ($0.arm, Double($0.result.questions)) }) { max($0, $1) }
      return Set(questions.values).count > 1 ? questions : nil
    }
    return unique(cells.map { [$0.task, $0.split] }).compactMap { place in
      let own = cells.filter { [$0.task, $0.split] == place }
      let lines = series.compactMap { questions in
        let measured = own.filter { questions[$0.arm] != nil }
        let largest = measured.max { questions[$0.arm] ?? 0 < questions[$1.arm] ?? 0 }
        return largest.flatMap { line($0.arm, measured) { questions[$0.arm] } }
      }
      return lines.isEmpty ? nil : TeachingCurve(task: place[0], split: place[1], axis: .questions, lines: lines)
    }
  }

  private static func line(_ name: String, _ cells: [TeachingReport.Cell], x: (TeachingReport.Cell) -> Double?) -> Line?
  {
    let points = cells.compactMap { cell -> Point? in
      guard let x = x(cell), let accuracy = cell.measures[.accuracy] else { return nil }
      return Point(x: x, accuracy: accuracy, arm: cell.arm, split: cell.split)
    }.sorted { $0.x < $1.x }
    return points.count > 1 ? Line(name: name, points: points) : nil
  }

  private static func all(_ values: [Double?]) -> [Double]? {
    let known = values.compactMap(\.self)
    return known.count == values.count ? known : nil
  }

  private static func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }

  /// The number at the end of a split's name.
  private static func number(_ split: String) -> Double? {
    let digits = split.reversed().prefix { $0.isASCII && $0.isNumber }
    return digits.isEmpty ? nil : Double(String(digits.reversed()))
  }
}
