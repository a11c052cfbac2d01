/// Why something cannot be read: one sentence that names the file, the place and the cure.
public struct HostCheckError: Error, CustomStringConvertible, Sendable {
  /// A sentence that names the file, the place and the cure.
  public let description: String
  /// An error with its sentence.
  public init(_ description: String) { self.description = description }
}
