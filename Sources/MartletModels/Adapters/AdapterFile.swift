import Foundation
import MartletCheckpoints
import MartletData

/// An adapter on disk: PEFT's folder of `adapter_config.json` and `adapter_model.safetensors` (or `.bin`).
public enum AdapterFile {
  /// Loads the adapters of a folder into a model. Modules that were saved in full replace those of the model.
  ///
  /// The result is what PEFT computes with the same files.
  ///
  /// - Parameters:
  ///   - path: the folder, or a file in it.
  ///   - model: the model that the adapter was trained on.
  /// - Returns: a description of what the adapter changed.
  /// - Throws: errors that name the tensor or the key that does not fit or is not supported.
  @discardableResult
  public static func load(_ path: String, into model: inout some TrainableModel) throws -> LoadedAdapter {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ModelError("\(path): the folder does not exist; give the folder that martlet finetune or PEFT wrote")
    }
    let folder = isFolder.boolValue ? path : path.parentFolder
    let settings = (folder as NSString).appendingPathComponent("adapter_config.json")
    guard FileManager.default.fileExists(atPath: settings) else {
      throw ModelError(
        "\(folder): there is no adapter_config.json; give the folder that martlet finetune or PEFT wrote")
    }
    var loading = try AdapterLoading(folder: folder, configuration: AdapterConfiguration(settings), model: model)
    return try loading.apply(to: &model)
  }
}
