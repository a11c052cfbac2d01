import MartletData

/// Why an edit cannot be made, or a store not be used: one sentence with the cure.
public struct EditError: Error, CustomStringConvertible, Sendable {
  public let description: String
  /// Safe to print: what files hold may be anything.
  public init(_ description: String) { self.description = description.printable }
}
