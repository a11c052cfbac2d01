import Foundation
import MartletData

/// Data of a task that are not there.
public struct MissingData: ExplainedError, Equatable {
  /// The task's name.
  public let task: String
  /// The folder that was looked into.
  public let folder: String
  /// The paths below the data folder of which one is needed.
  public let files: [String]
  /// Where the data can be had; empty where the task does not say it.
  public let origin: String
  /// Their licence; empty where the task does not say it.
  public let licence: String

  /// What is missing, where it can be had, and under which licence.
  public var message: String {
    let name = files.count == 1 ? files[0] : "one of \(files.joined(separator: ", "))"
    return "the task \(task) needs \(name) in \(folder)".printable
      + (origin.isEmpty ? "; --data names another folder" : "; the data are at \(origin)".printable)
      + (licence.isEmpty ? "" : " (licence: \(licence))".printable)
  }
}
