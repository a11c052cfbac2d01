import Foundation
import MartletData

/// The processor time of a run over all processes that took part in it: a file `processor_time.jsonl` in its folder, one line for each
/// checkpoint. What a process did after its last checkpoint before it was killed is done again, and not counted.
final class TrainingClock {
  private let path: String
  private let file: AppendedFile
  private var last = ProcessorTime.seconds

  /// - Throws: `FileError` where the file cannot be written.
  init(_ folder: String, isResumed: Bool) throws {
    path = folder + "/processor_time.jsonl"
    file = try AppendedFile(path: path, keeping: isResumed ? .max : 0)
  }

  /// Keeps the time since the last call. A time that cannot be written is no reason to end a training.
  func keep() {
    let now = ProcessorTime.seconds
    let line: JSONValue = ["cpu_seconds": .number(now - last)]
    if (try? file.append(Array("\(line.text)\n".utf8))) != nil { last = now }
  }

  /// The seconds of all lines, those of this process included; nil where none can be read.
  func total() -> Double? {
    keep()
    return try? JSONLines.read(path).reduce(0) { $0 + ($1.value["cpu_seconds"]?.number ?? 0) }
  }
}
