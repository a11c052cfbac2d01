import Foundation

/// Why a file cannot be used: one sentence that names the file, the position in it and, if there is one, the remedy.
public struct FileError: ExplainedError {
  /// The path of the file, or the name of whatever else cannot be used.
  public let file: String
  /// What is wrong with it.
  public let problem: String

  /// - Parameters:
  ///   - file: the path of the file.
  ///   - problem: what is wrong with it, worded to follow the file's name and a colon.
  public init(file: String, _ problem: String) {
    self.file = file
    self.problem = problem
  }

  /// The file and what is wrong with it. Characters that a terminal would interpret are replaced, because names that
  /// come from files may contain anything.
  public var message: String { "\(file): \(problem)".printable }
}
