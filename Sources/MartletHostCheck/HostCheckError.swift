/// Why something cannot be read: one sentence that names the file, the place and the cure.
public struct HostCheckError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
