/// Why a file cannot be used: one sentence that names the file, the place and, where there is one, the cure.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
  public let file: String
  public let problem: String

  public init(file: String, _ problem: String) {
    self.file = file
    self.problem = problem
  }

  /// An adapter stands where a model belongs.
  public static func adapter(_ path: String) -> CheckpointError {
    CheckpointError(
      file: path,
      "this is an adapter, which changes a model and is none; load its model and give it the adapter's folder with --adapter, or make one model of both with `martlet merge MODEL FOLDER OUT`"
    )
  }

  /// Safe to print: names that come from files may hold anything.
  public var description: String { "\(file): \(problem)".printable }
}
