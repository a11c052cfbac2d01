/// Why a file cannot be used: one sentence that names the file, the place and, where there is one, the cure.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
  public let file: String
  public let problem: String

  public init(file: String, _ problem: String) {
    self.file = file
    self.problem = problem
  }

  /// Safe to print: names that come from files may hold anything.
  public var description: String { "\(file): \(problem)".printable }
}
