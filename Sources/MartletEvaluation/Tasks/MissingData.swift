/// Data of a task that are not there.
public struct MissingData: Sendable, Equatable {
  /// The paths below the data folder of which one is needed.
  public let files: [String]
  /// Where the data can be had.
  public let origin: String
  /// Their licence.
  public let licence: String
}
