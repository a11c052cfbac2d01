import MartletData
import MartletEvaluation

/// What teaching has damaged: what students can do beside what they were taught, and how that differs from the untouched student on the
/// same rows (``DamageEvaluation`` measures it).
public struct TeachingDamage: Sendable {
  /// The name of the untouched student, with which the arms are compared.
  public let untouched: String
  /// Every arm on every task, the untouched student first.
  public let cells: [TeachingReport.Cell]

  /// Damage by results of measurements.
  /// - Parameters:
  ///   - files: the results of each measurement.
  ///   - untouched: the name of the arm that was not trained; nil for the arm `untrained`, or else the first.
  /// - Throws: ``TeachingError`` where that arm is missing, or rows were not the same.
  public init(_ files: [[StudentAnswer]], untouched: String? = nil) throws {
    let named = files.map { $0.map(TeachingReport.named) }
    let names = named.compactMap { $0.first?.arm }
    let name = untouched ?? (names.contains("untrained") ? "untrained" : names.first ?? "")
    guard names.contains(name) else {
      throw TeachingError(
        names.isEmpty
          ? "there are no results of damage; give files that `martlet teach damage` has written"
          : "the untouched student \"\(name.printable)\" is not among those whose damage was measured: \(Set(names).sorted().map(\.printable).joined(separator: ", ")); measure it with `martlet teach damage` without --run"
      )
    }
    let ordered = named.filter { $0.first?.arm == name } + named.filter { $0.first?.arm != name }
    self.untouched = name
    cells = try TeachingReport(ordered).cells
  }

  /// The tasks in their order.
  public var tasks: [String] {
    var seen: Set<String> = []
    return cells.map(\.task).filter { seen.insert($0).inserted }
  }

  /// What may be concluded, one sentence for each arm and task.
  public var conclusions: [String] {
    cells.compactMap { cell in
      guard let difference = cell.difference else { return nil }
      let numbers =
        "\(TeachingReport.points(difference.value)) points (95 % from \(TeachingReport.points(difference.interval.lower)) to \(TeachingReport.points(difference.interval.upper)), \(cell.questionCount) rows)"
      if difference.interval.upper < 0 {
        return "\(cell.arm) has lost on \(cell.task) against the untouched student: \(numbers)."
      }
      if difference.interval.lower > 0 {
        return "\(cell.arm) has gained on \(cell.task) against the untouched student: \(numbers)."
      }
      return "\(cell.arm): no damage on \(cell.task) is shown, and none is ruled out beyond the interval: \(numbers)."
    }
  }
}
