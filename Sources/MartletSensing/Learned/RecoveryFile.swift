import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// A trained method in a safetensors file: the parameters with the operator, and as metadata the settings, how pixels are scaled, and a sentence
/// on the images it was trained on.
public enum RecoveryFile {
  private static let format = "martlet-sensing-1"
  /// How pixels from 0 to 255 become the values that models take.
  public static let normalization = "pixel / 255 * 2 - 1"

  /// The model file of a run where the folder of the run is given; any other path as it is.
  /// - Parameter path: a model file, or the folder of a run of `martlet sense train`.
  public static func path(_ path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return path }
    return (path as NSString).appendingPathComponent("model.safetensors")
  }

  /// Writes a model.
  /// - Parameters:
  ///   - model: the model.
  ///   - settings: its settings.
  ///   - data: one sentence on the images it was trained on.
  ///   - path: the file.
  ///   - replaces: whether a file of that name is replaced.
  /// - Throws: `FileError` where it cannot be written.
  public static func write(
    _ model: RecoveryModel, settings: RecoverySettings, data: String, to path: String, replaces: Bool = false
  ) throws {
    try OutputTarget.check(path, replaces: replaces)
    try TensorFile.write(
      model.parameters,
      metadata: [
        "format": format, "settings": String(decoding: JSONEncoder.snakeCase.encode(settings), as: UTF8.self),
        "normalization": normalization, "data": data,
      ], to: path)
  }

  /// Reads a model.
  /// - Returns: the model, its settings, and the sentence on its images.
  /// - Throws: `FileError` if it cannot be read, is no such file or does not fit its settings.
  public static func read(_ path: String) throws -> (model: RecoveryModel, settings: RecoverySettings, data: String) {
    let other = FileError(
      file: path, "it is no model of `martlet sense train`; give the model.safetensors of such a run")
    // A safetensors file begins with eight bytes of a length and an object of JSON.
    let mapped = try MappedFile(path: path)
    guard withExtendedLifetime(mapped, { mapped.bytes.dropFirst(8).first }) == UInt8(ascii: "{") else { throw other }
    let file = try Safetensors.open(path)
    guard file.metadata["format"]?.string == format, let text = file.metadata["settings"]?.string else { throw other }
    guard let settings = try? JSONDecoder.snakeCase.decode(RecoverySettings.self, from: Data(text.utf8)) else {
      throw FileError(file: path, "its settings cannot be read; train the model again with this version")
    }
    do { try settings.check() } catch { throw FileError(file: path, "its settings cannot be: \(error)") }
    var model = try RecoveryModel(settings)
    let parameters = try TensorFile.read(path, model.parameters.map { ($0.name, $0.value.shape) })
    for (name, value) in zip(model.parameters.map(\.name), parameters) where !value.doubleValues.allSatisfy(\.isFinite)
    {
      throw FileError(file: path, "\(name) holds NaN or infinity; train the model again, or fetch its file again")
    }
    model.replaceParameters(parameters)
    return (model, settings, file.metadata["data"]?.string ?? "")
  }
}
