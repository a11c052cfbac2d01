/// Operators that were made, so that images of one size share one.
public struct OperatorTable: Sendable {
  private struct Key: Hashable {
    let description: OperatorDescription
    let height: Int, width: Int
  }
  private var made: [Key: any LinearOperator] = [:]

  /// An empty table.
  public init() {}

  /// The operator of a description.
  /// - Parameters:
  ///   - description: what it is made of.
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  /// - Throws: ``SensingError`` or `FileError` if it cannot be made.
  public mutating func linearOperator(
    _ description: OperatorDescription, height: Int, width: Int
  ) throws -> any LinearOperator {
    let key = Key(description: description, height: height, width: width)
    if let found = made[key] { return found }
    let found = try description.linearOperator(height: height, width: width)
    made[key] = found
    return found
  }
}
