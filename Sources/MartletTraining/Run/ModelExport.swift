import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

/// Writes a trained model in a format that other programs read.
public enum ModelExport {
  /// Names that a file of this family carries, and shapes as others have them.
  private static func tensors(_ model: any TrainableModel) -> [(name: String, value: Tensor)] {
    model.parameters.filter { !$0.name.contains(".lora_") }.map { name, value in
      let layer = name.split(separator: ".").dropLast().joined(separator: ".")
      let order = (0..<value.rows).map { model.hubRow(layer, $0) }
      return (name, order.enumerated().allSatisfy { $0.offset == $0.element } ? value : value.gatherRows(order))
    }
  }

  /// Writes `.safetensors`, or `.pth` with the names of BlinkDL's checkpoints, and the `config.json` of a hub model in
  /// the same folder.
  public static func write(_ model: any TrainableModel, to path: String, type: FileType = .f32) throws {
    let list = tensors(model)
    let table = list.map { (name: $0.name, type: type, shape: model.fileShape(of: $0.name, $0.value.shape)) }
    let bytes = { (index: Int, write: ByteSink) in
      try TensorFile.bytes(of: list[index].value, as: type, write)
    }
    if path.hasSuffix(".pth") {
      try PyTorch.write(to: path, tensors: table, bytes: bytes)
    } else {
      var metadata = model.fileMetadata
      metadata["format"] = "pt"
      try Safetensors.write(to: path, tensors: table, metadata: metadata, bytes: bytes)
    }
    if let configuration = model.hubConfiguration {
      let folder = path.parentFolder
      try writeJSON(configuration, to: (folder.isEmpty ? "." : folder) + "/config.json")
    }
  }
}
