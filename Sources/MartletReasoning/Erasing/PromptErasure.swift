import MartletData
import MartletTensor

/// Replaces what the teacher was told by what the student is told (prompt erasure; Mitra et al., "Orca 2", 2023). The teacher's message
/// stays on record as `teacher_system`.
public struct PromptErasure: Sendable {
  /// What the student is told.
  public var kind: ArmSettings.Erasure
  /// The generic message; nil for none.
  public var message: String?
  /// The strategies among which a wrong one is drawn.
  public var strategies: StrategyTable
  /// Draws wrong strategies.
  public var seed: Int

  /// - Parameters:
  ///   - kind: what the student is told.
  ///   - message: the generic message, for ``ArmSettings/Erasure/erased``.
  ///   - strategies: the strategies among which a wrong one is drawn.
  ///   - seed: draws wrong strategies, one for each question.
  public init(
    _ kind: ArmSettings.Erasure, message: String? = StudentSettings.carefulMessage, strategies: StrategyTable,
    seed: Int = 1
  ) {
    self.kind = kind
    self.message = message
    self.strategies = strategies
    self.seed = seed
  }

  /// The rows with the student's system message.
  /// - Throws: ``TeachingError`` where a wrong strategy is asked for and a row names none, or there is no other.
  public func run(_ rows: [TeachingRow]) throws -> [TeachingRow] {
    try rows.map { row in
      var row = row
      let told = row.others["teacher_system"]?.string ?? row.system
      if let told { row.others["teacher_system"] = .string(told) }
      row.others["erasure"] = .string(kind.rawValue)
      // What is mixed in was never told a strategy, and keeps its own message.
      guard row.others["mixed_in"]?.bool != true else { return row }
      switch kind {
      case .erased: row.system = message
      case .kept: row.system = told
      case .none: row.system = nil
      case .wrong:
        let wrong = try wrongStrategy(row)
        row.others["told_strategy"] = .string(wrong.id)
        row.system = strategies.system(wrong, endsWithAnswer: row.rule != nil)
      }
      return row
    }
  }

  private func wrongStrategy(_ row: TeachingRow) throws -> Strategy {
    guard let own = row.strategy else {
      throw TeachingError(
        "question \(row.id.printable) names no strategy, so none is wrong for it; generate responses with the prompt strategy"
      )
    }
    let others = strategies.strategies.filter { $0.id != own }
    guard !others.isEmpty else {
      throw TeachingError("there is only one strategy, so there is no wrong one; add another to the strategies file")
    }
    let random = RandomSource(seed: UInt64(max(0, seed))).stream("wrong strategy").stream(row.id)
    return others[random.integer(0, below: others.count)]
  }
}
