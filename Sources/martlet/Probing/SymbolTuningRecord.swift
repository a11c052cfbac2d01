import Foundation
import MartletData
import MartletTraining

/// What `run.json` says of a run of symbol tuning, and whether a command goes on with it.
struct SymbolTuningRecord {
  private let options: [String: String]
  private static let name = "probe tune"
  /// Options that do not change what was done so far.
  private static let free: Set<String> = ["out", "resume", "json", "threads"]

  /// - Throws: ``TrainingError`` if the folder holds a run that is not resumed, or none that is, or one with other options.
  init(_ command: ProbeTune) throws {
    options = RecordedOptions.of(command).filter { !Self.free.contains($0.key) }
    let path = command.out + "/run.json"
    guard FileManager.default.fileExists(atPath: path) else {
      guard !command.resume else {
        throw TrainingError("\(command.out) contains no run to resume (no run.json); leave --resume out to start one")
      }
      for name in ["adapter_model.safetensors", "adapter_config.json", "report.html", "icl.html", "cost.html"]
      where FileManager.default.fileExists(atPath: command.out + "/" + name) {
        throw TrainingError(
          "\(command.out)/\(name) exists already without a run.json, so it is not part of a known run; choose another --out, or move it away"
        )
      }
      return
    }
    guard command.resume else {
      throw TrainingError("\(command.out) contains a run already; resume it with --resume, or choose another --out")
    }
    let text = try MappedFile.contents(of: path, limit: 1 << 24)
    guard let value = try? JSONValue(parsing: text), value["command"]?.string == Self.name,
      let recorded = value["options"]?.object
    else {
      throw TrainingError("\(path): it is not of a run of martlet probe tune; choose another --out")
    }
    let before = Dictionary(
      recorded.members.map { ($0.key.replacing("_", with: "-"), $0.value.string ?? "") }
    ) { _, last in last }
    for name in Set(before.keys).union(options.keys).sorted() where before[name] != options[name] {
      throw TrainingError(
        "\(command.out) was started \(RecordedOptions.written(name, before[name], beside: options[name])); give the same options to resume"
      )
    }
  }

  /// The contents of `run.json`.
  func description(
    _ settings: TrainingSettings, _ training: TrainingData, _ validation: TrainingData, model: String
  ) throws -> [String: Any] {
    [
      "command": Self.name, "arguments": Array(CommandLine.arguments.dropFirst(3)),
      "directory": FileManager.default.currentDirectoryPath,
      "options": Dictionary(uniqueKeysWithValues: options.map { ($0.key.replacing("-", with: "_"), $0.value) }),
      "settings": try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings)),
      "fingerprints": ["data": training.fingerprint, "validation": validation.fingerprint, "model": model],
    ]
  }
}
