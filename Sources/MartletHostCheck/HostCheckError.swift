/// Why something cannot be read: one sentence that names the file, the position and the remedy.
public struct HostCheckError: Error, CustomStringConvertible, Sendable {
  /// One sentence that names the file, the position and the remedy.
  public let description: String
  /// An error with its description.
  public init(_ description: String) { self.description = description }
}
