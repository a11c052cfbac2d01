import MartletData
import MartletModels

/// Draws the solved examples of each row, as the field's harness draws them: from one generator for all rows of a task, in their order.
struct TaskExamples {
  private let rows: [TaskRow]
  private let count: Int
  private let areFirst: Bool
  private let leavesOutQuestion: Bool
  private var random: PythonRandom

  /// - Throws: `FileError` where there are too few.
  init(_ rows: [TaskRow], _ shots: TaskDefinition.Shots, count: Int, seed: Int, of task: String) throws {
    let needed = count + (count > 0 && shots.leavesOutQuestion ? 1 : 0)
    guard rows.count >= needed else {
      throw FileError(
        file: task,
        "\(count) examples are asked for, for which it needs \(needed) rows, and there are \(rows.count); ask for fewer"
      )
    }
    (self.rows, self.count) = (rows, count)
    (areFirst, leavesOutQuestion) = (shots.areFirst, shots.leavesOutQuestion)
    random = PythonRandom(seed: seed)
  }

  /// The examples for a row.
  /// - Throws: `FileError` where too many rows are the same as the question.
  mutating func next(for question: TaskRow) throws -> [TaskRow] {
    guard count > 0 else { return [] }
    guard leavesOutQuestion else { return areFirst ? Array(rows.prefix(count)) : random.sample(rows, count: count) }
    let others = { (rows: [TaskRow]) in rows.filter { $0.value != question.value } }
    if areFirst { return Array(try enough(others(rows), question).prefix(count)) }
    let drawn = others(random.sample(rows, count: count + 1))
    if drawn.count >= count { return Array(drawn.prefix(count)) }
    // The question occurs more than once among what was drawn.
    return random.sample(try enough(others(rows), question), count: count)
  }

  private func enough(_ rows: [TaskRow], _ question: TaskRow) throws -> [TaskRow] {
    guard rows.count >= count else {
      throw FileError(
        file: question.place,
        "of the examples only \(rows.count) differ from this row and \(count) are asked for; ask for fewer")
    }
    return rows
  }
}
