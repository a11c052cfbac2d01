import Foundation
import MartletData

/// The lines of a run's `metrics.jsonl`, as numbers over steps.
package struct RunMetrics {
  /// The objects, oldest first.
  package let lines: [JSONValue]

  /// What the folder of a run has measured so far: nothing, where there is no such file. A line that a crash cut short
  /// is left out.
  package init(folder: String) {
    let data = FileManager.default.contents(atPath: folder + "/metrics.jsonl") ?? Data()
    lines = data.split(separator: 0x0a).compactMap { try? JSONValue(parsing: $0) }
  }

  /// The numbers under a key, by the step that they were measured at.
  package func points(_ key: String) -> [(x: Double, y: Double)] {
    lines.compactMap { line in
      guard let step = line["step"]?.number, let value = line[key]?.number else { return nil }
      return (step, value)
    }
  }

  /// The latest value under a key.
  package func last(_ key: String) -> JSONValue? { lines.last { $0[key] != nil }?[key] }
}
