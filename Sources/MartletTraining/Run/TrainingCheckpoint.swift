import Foundation
import MartletData
import MartletModels
import MartletTensor

/// A moment of a run, from which it goes on bit for bit: `parameters.safetensors`, `moments.safetensors` and
/// `state.json` in a folder that appears under its name only when all of it is on disk.
struct TrainingCheckpoint {
  struct State: Codable {
    var step: Int
    var optimizerStep: Int
    var countedRows: Int
    var position: BatchSampler.Position
    /// Bytes of metrics.jsonl written up to here.
    var metricsByteCount: Int
    var bestLoss: Double?
    var bestStep: Int?
    var validationsWithoutGain: Int
    var seconds: Double
    /// Digest of the examples that are dealt.
    var data: String

    /// Whether a run over so many examples can have come here.
    func fits(examples: Int) -> Bool {
      let counts = [step, optimizerStep, countedRows, position.epoch, metricsByteCount, validationsWithoutGain]
      return counts.allSatisfy { (0...1 << 48).contains($0) } && (0...examples).contains(position.dealt)
    }
  }

  static func name(_ step: Int) -> String { String(format: "step-%08d", step) }

  /// Steps of the whole checkpoints in a folder, oldest first.
  /// - Throws: ``TrainingError`` where the folder cannot be read: a run that has checkpoints must not begin anew.
  static func steps(in folder: String) throws -> [Int] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw TrainingError("\(folder) cannot be read; check its permissions")
    }
    return names.compactMap { $0.hasPrefix("step-") && !$0.hasSuffix(".part") ? Int($0.dropFirst(5)) : nil }.sorted()
  }

  static func write(_ trainer: Trainer, state: State, to folder: String) throws {
    let final = folder + "/" + name(state.step), part = final + ".part"
    let files = FileManager.default
    // A step has one outcome: what stands there is the same.
    if files.fileExists(atPath: final) { return }
    try? files.removeItem(atPath: part)
    try OutputTarget.makeFolder(part)
    let parameters = trainer.trainedParameters
    try TensorFile.write(parameters, to: part + "/parameters.safetensors")
    let moments =
      zip(parameters, trainer.optimizer.first).map { ("first/" + $0.0.name, $0.1) }
      + zip(parameters, trainer.optimizer.second).map { ("second/" + $0.0.name, $0.1) }
    try TensorFile.write(moments.map { (name: $0.0, value: $0.1) }, to: part + "/moments.safetensors")
    let file = try AtomicFile(path: part + "/state.json")
    try JSONEncoder().encode(state).withUnsafeBytes { try file.write($0) }
    try file.commit()
    try AtomicFile.syncFolder(part)
    guard rename(part, final) == 0 else { throw OutputTarget.failure(final, errno) }
    try AtomicFile.syncFolder(folder)
  }

  /// Removes a checkpoint, which loses its name first: a crash leaves no half of it under that.
  static func remove(_ step: Int, from folder: String) {
    let path = folder + "/" + name(step)
    guard (try? FileManager.default.moveItem(atPath: path, toPath: path + ".old.part")) != nil else { return }
    try? FileManager.default.removeItem(atPath: path + ".old.part")
  }

  /// Puts a trainer where the checkpoint stood.
  ///
  /// - Parameter fingerprint: of the examples. Others than those that the checkpoint was made with are dealt from the
  ///   beginning.
  static func restore(
    _ trainer: inout Trainer, from folder: String, training: TrainingData, fingerprint: String
  ) throws -> State {
    let path = folder + "/state.json"
    guard let data = FileManager.default.contents(atPath: path),
      var state = try? JSONDecoder().decode(State.self, from: data)
    else { throw TrainingError("\(path): it cannot be read; remove the folder \(folder) to go on from the one before") }
    if state.data != fingerprint, (0..<1 << 48).contains(state.position.epoch) {
      state.position.epoch += 1
      state.position.dealt = 0
    }
    guard state.fits(examples: training.examples.count) else {
      throw TrainingError("\(path): it is damaged; remove the folder \(folder) to go on from the one before")
    }
    let wanted = trainer.trainedParameters.map { (name: $0.name, shape: $0.value.shape) }
    let parameters = try TensorFile.read(folder + "/parameters.safetensors", wanted)
    let hasSecond = trainer.settings.optimizer.method != .sgd
    // Before the optimiser's first step there are no moments.
    let hasFirst = state.optimizerStep > 0
    let first =
      hasFirst
      ? try TensorFile.read(folder + "/moments.safetensors", wanted.map { ("first/" + $0.name, $0.shape) }) : []
    let second =
      hasFirst && hasSecond
      ? try TensorFile.read(folder + "/moments.safetensors", wanted.map { ("second/" + $0.name, $0.shape) }) : []
    trainer.restore(
      parameters: parameters, first: first, second: second, step: state.step, optimizerStep: state.optimizerStep,
      countedRows: state.countedRows, position: state.position, training: training)
    return state
  }
}
