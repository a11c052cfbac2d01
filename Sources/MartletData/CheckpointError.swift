import Foundation

/// Why a file cannot be used: one sentence that names the file, the place and, where there is one, the cure.
public struct CheckpointError: ExplainedError {
  /// The file's path, or what else cannot be used.
  public let file: String
  /// What is wrong with it.
  public let problem: String

  /// - Parameters: the file, and what is wrong with it in words that go on after its name and a colon.
  public init(file: String, _ problem: String) {
    self.file = file
    self.problem = problem
  }

  /// Safe to print: names that come from files may hold anything.
  public var message: String { "\(file): \(problem)".printable }
}
