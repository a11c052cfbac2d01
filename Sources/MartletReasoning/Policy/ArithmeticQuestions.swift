import MartletTensor

/// Questions of one step of arithmetic, such as `What is 37 + 45?`, of which each occurs once: a task on which a reward is certain and
/// in which small models have room to improve.
public struct ArithmeticQuestions: Sendable, Equatable {
  /// A calculation.
  public enum Operation: String, Sendable, Codable, CaseIterable {
    /// The sum of two numbers.
    case addition = "+"
    /// The difference of two numbers, never negative.
    case subtraction = "-"
    /// The product of two numbers.
    case multiplication = "*"
  }

  /// The calculations that are asked for.
  public var operations: [Operation]
  /// The largest number that is added or subtracted.
  public var largest: Int
  /// The largest number that is multiplied.
  public var largestFactor: Int
  /// The seed of the order of the questions.
  public var seed: UInt64

  /// Questions with numbers from 0 to `largest`, or `largestFactor` in products.
  /// - Throws: ``TeachingError`` without an operation, or with numbers outside 1 to 999.
  public init(
    operations: [Operation] = [.addition, .subtraction], largest: Int = 99, largestFactor: Int = 12, seed: UInt64 = 1
  ) throws {
    guard !operations.isEmpty else { throw TeachingError("arithmetic needs an operation: +, - or *") }
    guard (1...999).contains(largest), (1...999).contains(largestFactor) else {
      throw TeachingError("the largest number of an arithmetic question must be from 1 to 999")
    }
    self.operations = operations
    self.largest = largest
    self.largestFactor = largestFactor
    self.seed = seed
  }

  /// The number of different questions.
  public var count: Int {
    Set(operations).reduce(0) { $0 + pairs($1).count }
  }

  /// Draws questions, first those of the first split. All rows have the rule `number`, and as response the sentence with the answer.
  ///
  /// - Parameter splits: names and numbers of questions.
  /// - Throws: ``TeachingError`` if there are fewer different questions.
  public func rows(_ splits: [(name: String, count: Int)]) throws -> [TeachingRow] {
    let all = Operation.allCases.filter(operations.contains).flatMap { operation in
      pairs(operation).map { (operation, $0, $1) }
    }
    let wanted = splits.reduce(0) { $0 + $1.count }
    guard wanted <= all.count, splits.allSatisfy({ $0.count >= 0 }) else {
      throw TeachingError(
        "\(wanted) questions are asked for, but numbers up to \(largest) make only \(all.count) different ones; ask for fewer, or for larger numbers"
      )
    }
    let order = RandomSource(seed: seed).stream("arithmetic").permutation(all.count)
    var next = 0
    return splits.flatMap { split in
      (0..<split.count).map { _ in
        defer { next += 1 }
        let (operation, a, b) = all[order[next]]
        let answer = "\(result(operation, a, b))"
        var row = TeachingRow(
          id: "arithmetic-\(next)", task: "arithmetic", split: split.name,
          question: "What is \(a) \(operation.rawValue) \(b)?",
          answer: answer)
        row.rule = "number"
        row.response = "The answer is \(answer)."
        return row
      }
    }
  }

  private func pairs(_ operation: Operation) -> [(Int, Int)] {
    let most = operation == .multiplication ? largestFactor : largest
    return (0...most).flatMap { a in (0...(operation == .subtraction ? a : most)).map { (a, $0) } }
  }

  private func result(_ operation: Operation, _ a: Int, _ b: Int) -> Int {
    switch operation {
    case .addition: a + b
    case .subtraction: a - b
    case .multiplication: a * b
    }
  }
}
