import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

/// Writes tuned start states of RWKV without the weights: `blocks.i.att.time_state` of every layer.
public enum StartStateFile {
  /// Writes `state.pth` in the layout of RWKV-LM, `[heads, size values, size keys]`, and `state.st` in the layout of
  /// ai00, `[heads, size keys, size values]`.
  public static func write(_ model: some TrainableModel, to folder: String) throws {
    let states = model.parameters.filter { (model as? any StartStateModel)?.isStartState($0.name) ?? false }
    try OutputTarget.makeFolder(folder)
    try PyTorch.write(
      to: folder + "/state.pth", tensors: states.map { ($0.name, FileType.f32, $0.value.shape) }
    ) { index, write in try TensorFile.bytes(of: states[index].value, as: .f32, write) }
    try TensorFile.write(
      states.map { (name: $0.name, value: $0.value.permuted([0, 2, 1]).contiguous()) }, to: folder + "/state.st")
  }
}
