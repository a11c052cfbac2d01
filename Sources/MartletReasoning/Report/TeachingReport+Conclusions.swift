import MartletEvaluation

extension TeachingReport {
  /// What may be concluded, one sentence each: of accuracies, of the calculator, and of the strategies that students chose.
  public var conclusions: [String] {
    guard let first = arms.first else { return [] }
    let accuracies = cells.compactMap { cell in
      cell.difference.map { difference in
        sentence(
          cell, difference, better: "\(cell.arm) is better than \(first)", worse: "\(cell.arm) is worse than \(first)",
          neither: "no difference between \(cell.arm) and \(first) is shown")
      }
    }
    let calculators = cells.compactMap { cell in
      cell.calculatorGain.map { gain in
        sentence(
          cell, gain, better: "\(cell.arm) is better with the calculator in the loop than without",
          worse: "\(cell.arm) is worse with the calculator in the loop than without",
          neither: "no effect of the calculator on \(cell.arm) is shown")
      }
    }
    let strategies = cells.compactMap { cell in
      cell.followedDifference.flatMap { difference -> String? in
        // Where neither arm ever follows it there is nothing to tell.
        if difference.value == 0, cell.measures[.followed]?.value == 0 { return nil }
        return sentence(
          cell, difference, better: "\(cell.arm) follows the taught strategy more often than \(first)",
          worse: "\(cell.arm) follows the taught strategy less often than \(first)",
          neither: "\(cell.arm) and \(first) are not shown to differ in how often they follow the taught strategy")
      }
    }
    return accuracies + calculators + strategies
  }

  private func sentence(
    _ cell: Cell, _ difference: Estimate, better: String, worse: String, neither: String
  ) -> String {
    let numbers =
      "\(Self.points(difference.value)) points (95 % from \(Self.points(difference.interval.lower)) to \(Self.points(difference.interval.upper)))"
    let place = "\(cell.task), \(cell.split)"
    if difference.interval.lower > 0 { return "\(place): \(better) by \(numbers)." }
    return "\(place): \(difference.interval.upper < 0 ? worse : neither): \(numbers)."
  }
}
