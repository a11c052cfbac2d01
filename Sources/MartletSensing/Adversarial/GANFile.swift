import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// A trained generative adversarial network in a safetensors file: parameters, running statistics, and as metadata the settings and a sentence
/// on the images it was trained on.
public enum GANFile {
  private static let format = "martlet-gan-1"

  /// Writes the networks of a run.
  /// - Throws: `FileError` where the file cannot be written.
  static func write(_ run: GANRun, data: String, to path: String, replaces: Bool = false) throws {
    try OutputTarget.check(path, replaces: replaces)
    try TensorFile.write(
      run.tensors,
      metadata: [
        "format": format, "settings": String(decoding: JSONEncoder.snakeCase.encode(run.settings), as: UTF8.self),
        "normalization": RecoveryFile.normalization, "data": data,
      ], to: path)
  }

  /// Reads networks.
  /// - Returns: a run with the networks, which generates, and the sentence on its images.
  /// - Throws: `FileError` if it cannot be read, is no such file or does not fit its settings.
  public static func read(_ path: String) throws -> (run: GANRun, data: String) {
    let file = try Safetensors.open(path)
    guard file.metadata["format"]?.string == format, let text = file.metadata["settings"]?.string else {
      throw FileError(file: path, "it is no network of `martlet sense gan`; give the model.safetensors of such a run")
    }
    guard let settings = try? JSONDecoder.snakeCase.decode(GANSettings.self, from: Data(text.utf8)) else {
      throw FileError(file: path, "its settings cannot be read; train the network again with this version")
    }
    do { try settings.check() } catch { throw FileError(file: path, "its settings cannot be: \(error)") }
    var run = try GANRun(settings)
    let tensors = try TensorFile.read(path, run.tensors.map { ($0.name, $0.value.shape) })
    run.restore(tensors: tensors, optimizer: run.optimizer, step: settings.steps)
    return (run, file.metadata["data"]?.string ?? "")
  }
}
