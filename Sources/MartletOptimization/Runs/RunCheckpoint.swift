import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor

/// A moment of a run, from which it goes on bit for bit: `parameters.safetensors`, `moments.safetensors` and
/// `state.json` in a folder that appears under its name only when all of it is on disk.
package enum RunCheckpoint {
  /// The folder's name for a step.
  package static func name(_ step: Int) -> String { String(format: "step-%08d", step) }

  /// Steps of the whole checkpoints in a folder, oldest first.
  /// - Throws: ``FileError`` where the folder cannot be read: a run that has checkpoints must not begin anew.
  package static func steps(in folder: String) throws -> [Int] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw FileError(file: folder, "it cannot be read; check its permissions")
    }
    return names.compactMap { $0.hasPrefix("step-") && !$0.hasSuffix(".part") ? Int($0.dropFirst(5)) : nil }.sorted()
  }

  /// Writes a checkpoint into `folder`. What stands there of the same step is the same, and is left.
  ///
  /// - Parameters:
  ///   - moments: what is kept in `moments.safetensors` beside the optimiser's moments.
  ///   - state: what else belongs to the moment.
  package static func write(
    step: Int, parameters: [(name: String, value: Tensor)], optimizer: Optimizer,
    moments: [(name: String, value: Tensor)] = [], state: some Encodable, to folder: String
  ) throws {
    let final = folder + "/" + name(step), part = final + ".part"
    let files = FileManager.default
    if files.fileExists(atPath: final) { return }
    try? files.removeItem(atPath: part)
    try OutputTarget.makeFolder(part)
    try TensorFile.write(parameters, to: part + "/parameters.safetensors")
    var all = moments
    all += zip(parameters, optimizer.first).map { ("first/" + $0.0.name, $0.1) }
    all += zip(parameters, optimizer.second).map { ("second/" + $0.0.name, $0.1) }
    try TensorFile.write(all, to: part + "/moments.safetensors")
    try AtomicFile.write(JSONEncoder().encode(state), to: part + "/state.json")
    try AtomicFile.syncFolder(part)
    guard rename(part, final) == 0 else { throw OutputTarget.failure(final, errno) }
    try AtomicFile.syncFolder(folder)
  }

  /// Removes a checkpoint, which loses its name first: a crash leaves no half of it under that.
  package static func remove(_ step: Int, from folder: String) {
    let path = folder + "/" + name(step)
    guard (try? FileManager.default.moveItem(atPath: path, toPath: path + ".old.part")) != nil else { return }
    try? FileManager.default.removeItem(atPath: path + ".old.part")
  }

  /// The state of a checkpoint's folder.
  /// - Throws: ``FileError`` where it cannot be read.
  package static func state<State: Decodable>(_ type: State.Type, in folder: String) throws -> State {
    let path = folder + "/state.json"
    guard let data = FileManager.default.contents(atPath: path),
      let state = try? JSONDecoder().decode(State.self, from: data)
    else {
      throw FileError(
        file: path, "it cannot be read; remove the folder \(folder) to resume from the checkpoint before")
    }
    return state
  }

  /// Parameters and an optimiser as they were.
  ///
  /// - Parameters:
  ///   - wanted: names and shapes of the parameters.
  ///   - optimizerStep: steps that the optimiser had made; before its first there are no moments.
  package static func tensors(
    in folder: String, _ wanted: [(name: String, shape: [Int])], settings: OptimizerSettings, optimizerStep: Int
  ) throws -> (parameters: [Tensor], optimizer: Optimizer) {
    let parameters = try TensorFile.read(folder + "/parameters.safetensors", wanted)
    return (
      parameters,
      Optimizer(
        settings, step: optimizerStep, first: optimizerStep > 0 ? try moments("first", in: folder, wanted) : [],
        second: optimizerStep > 0 && settings.method != .sgd ? try moments("second", in: folder, wanted) : [])
    )
  }

  /// The moments of a name (`first`, `second`, or what was given to ``write(step:parameters:optimizer:moments:state:to:)``),
  /// one for each parameter.
  package static func moments(
    _ name: String, in folder: String, _ wanted: [(name: String, shape: [Int])]
  ) throws -> [Tensor] {
    try TensorFile.read(folder + "/moments.safetensors", wanted.map { (name + "/" + $0.name, $0.shape) })
  }
}
