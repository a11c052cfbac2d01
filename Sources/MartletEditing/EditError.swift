/// Why an edit cannot be made, or a store not be used: one sentence with the cure.
public struct EditError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
