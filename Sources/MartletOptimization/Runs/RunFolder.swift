import Foundation
import MartletData
import MartletTensor

/// The folder of a run, whatever is optimised in it:
///
///     run.json          what the run was asked to do
///     metrics.jsonl     one line a step or a validation
///     report.html       curves
///     checkpoints/      the latest moments, and the best
///
/// A run begins in an empty folder or goes on from its latest checkpoint that can be read; lines of metrics that were
/// written after it are cut off, as their steps will be made again.
package struct RunFolder {
  package let path: String
  /// Checkpoints that cannot be read, passed over for an earlier one; each is now called `.damaged`.
  package private(set) var damagedCheckpoints: [String] = []
  private let description: Data
  private var metrics: AppendedFile

  private var checkpoints: String { path + "/checkpoints" }
  /// Bytes of metrics.jsonl so far.
  package var metricsByteCount: Int { metrics.byteCount }

  /// Opens the folder, and removes what a crash left half done.
  ///
  /// - Parameters:
  ///   - description: for `run.json`: everything that was asked for, and what it was done with.
  ///   - resuming: whether the run that is there goes on; then ``begin(keeping:)`` writes the description.
  package init(_ path: String, description: [String: Any], resuming: Bool) throws {
    self.path = path
    self.description = try prettyJSON(description)
    try OutputTarget.makeFolder(path + "/checkpoints")
    // Whole until it is known how much of it the checkpoint has seen. Its lock is that of the folder: one process at a time.
    metrics = try AppendedFile(path: path + "/metrics.jsonl", keeping: resuming ? .max : 0)
    if !resuming { try AtomicFile.write(self.description, to: path + "/run.json") }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? [] where name.hasSuffix(".part")
    { try? FileManager.default.removeItem(atPath: checkpoints + "/" + name) }
  }

  /// The result of `read` for the folder of the latest readable checkpoint; nil if there is no checkpoint.
  /// - Throws: why the latest cannot be read, where no other can either.
  package mutating func latest<State>(_ read: (_ folder: String) throws -> State) throws -> State? {
    var problem: (any Error)?
    for step in try RunCheckpoint.steps(in: checkpoints).reversed() {
      let path = checkpoints + "/" + RunCheckpoint.name(step)
      do {
        let state = try read(path)
        // A step that is made again writes its checkpoint again.
        for path in damagedCheckpoints where rename(path, path + ".damaged") != 0 {
          throw OutputTarget.failure(path, errno)
        }
        return state
      } catch {
        problem = problem ?? error
        damagedCheckpoints.append(path)
      }
    }
    if let problem { throw problem }
    return nil
  }

  /// Continues after the metrics that belong to the checkpoint.
  ///
  /// - Parameter byteCount: of the metrics; nil for a run that begins, whose description is written already.
  package mutating func begin(keeping byteCount: Int?) throws {
    metrics = try AppendedFile(path: path + "/metrics.jsonl", keeping: byteCount ?? 0)
    if byteCount != nil { try AtomicFile.write(description, to: path + "/run.json") }
  }

  /// Adds a line to the metrics. Numbers that JSON does not have are written as texts.
  package mutating func append(_ line: [String: Any]) throws {
    let line = line.mapValues { value in (value as? Double).map { $0.isFinite ? $0 : "\($0)" as Any } ?? value }
    try metrics.append(JSONSerialization.data(withJSONObject: line, options: [.sortedKeys]) + Data("\n".utf8))
  }

  /// Makes the metrics durable, before a checkpoint that counts them.
  package func synchronize() throws { try metrics.synchronize() }

  /// Writes a checkpoint and removes those that are no longer kept.
  ///
  /// - Parameters:
  ///   - moments: what is kept beside the optimiser's moments, with names of its own.
  ///   - kept: how many of the latest stay; at least one does.
  ///   - best: a step whose checkpoint stays too.
  package func save(
    step: Int, parameters: [(name: String, value: Tensor)], optimizer: Optimizer,
    moments: [(name: String, value: Tensor)] = [], state: some Encodable, kept: Int, best: Int?
  ) throws {
    try RunCheckpoint.write(
      step: step, parameters: parameters, optimizer: optimizer, moments: moments, state: state, to: checkpoints)
    for step in try RunCheckpoint.steps(in: checkpoints).dropLast(max(1, kept)) where step != best {
      RunCheckpoint.remove(step, from: checkpoints)
    }
  }

  /// Draws `report.html` out of the metrics.
  package func writeReport(_ report: RunReport = .training) throws { try report.write(folder: path) }
}
