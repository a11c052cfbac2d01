import ArgumentParser
import Foundation
import MartletData
import MartletModels
import MartletTraining

/// A command that trains a language model.
protocol TrainingCommand: RunCommand {
  var options: TrainingOptions { get }
}

extension TrainingCommand {
  var out: String? { options.out }
  var resume: String? { options.resume }
  var isShowing: Bool { options.showBatch }
  var goesOnAsBegun: Bool { options.goesOnAsBegun }
  var momentaryFlags: [String] { options.acceptChangedData ? ["--accept-changed-data"] : [] }
  static var freeOptions: Set<String> {
    [
      "steps", "epochs", "json", "threads", "out", "validate-every", "checkpoint-every", "keep", "patience", "data",
      "validation-data", "accept-changed-data", "skip-bad-lines", "show-batch", "resume", "model",
    ]
  }
}

/// What `run.json` says of a run that trains a language model: beside the command, settings and digests of what it was
/// done with.
struct TrainingRecord {
  let run: RunRecord
  let settings: TrainingSettings
  /// Digests of the examples and of the model.
  let data, validation, model: String

  /// Every option by name.
  var options: [String: String] { run.options }
  var folder: String { run.folder }

  /// - Throws: ``TrainingError`` naming the file, where it does not say enough.
  init(_ run: RunRecord) throws {
    guard let settings = run.object["settings"],
      let decoded = try? JSONDecoder.snakeCase.decode(
        TrainingSettings.self, from: JSONSerialization.data(withJSONObject: settings)),
      let fingerprints = run.object["fingerprints"] as? [String: String]
    else { throw RunRecord.incomplete(run.folder + "/run.json") }
    self.run = run
    self.settings = decoded
    data = fingerprints["data"] ?? ""
    validation = fingerprints["validation"] ?? ""
    model = fingerprints["model"] ?? ""
  }

  /// The command to run, and the record of the run that it goes on with: nil for a new one.
  /// - Throws: what ``RunRecord/resolve(_:)`` throws.
  static func resolve<Command: TrainingCommand>(_ command: Command) throws -> (Command, TrainingRecord?) {
    let (command, run) = try RunRecord.resolve(command)
    return (command, try run.map(TrainingRecord.init))
  }

  /// - Throws: ``TrainingError`` where the examples are no longer those that the run was begun with.
  func check(training: TrainingData, validation: TrainingData, accepts: Bool, path: String) throws {
    guard training.fingerprint != data || validation.fingerprint != self.validation else { return }
    let count = "\(training.examples.count) examples to train on and \(validation.examples.count) to validate now"
    if accepts {
      Terminal.note(
        "Note: the data has changed since the run was started (\(count)); the run continues with the new data")
      return
    }
    throw TrainingError(
      "\(path): the data has changed since the run in \(folder) was started (\(count)); restore the old data, or continue with the new data with --accept-changed-data"
    )
  }

  /// - Throws: ``TrainingError`` where the model is another.
  func check(model now: any TrainableModel, path: String) throws {
    guard !model.isEmpty, now.description.fingerprint != model else { return }
    throw TrainingError(
      "\(path): it is no longer the model with which the run in \(folder) was started; restore that model, or start a new run"
    )
  }

  /// What ``init(_:)`` reads.
  static func object(
    _ command: some TrainingCommand, after earlier: TrainingRecord?, settings: TrainingSettings, training: TrainingData,
    validation: TrainingData, model: String
  ) throws -> [String: Any] {
    var object = RunRecord.object(command, after: earlier?.run)
    object["settings"] = try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings))
    object["fingerprints"] = ["data": training.fingerprint, "validation": validation.fingerprint, "model": model]
    return object
  }
}
