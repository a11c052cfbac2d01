import Foundation

/// PyTorch's `.pth` / `.bin`: a ZIP of one pickle and raw storages.
public enum PyTorch {
  public static func open(_ path: String) throws -> Checkpoint {
    let file = try MappedFile(path: path)
    let archive = try ZipArchive(file)
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: path, problem) }
    guard let pickle = archive.entries.values.first(where: { $0.name.hasSuffix("/data.pkl") }) else {
      throw fail("it holds no data.pkl; it is a ZIP, but not of PyTorch")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    if let order = archive.entries[folder + "byteorder"],
      String(decoding: file.bytes[order.range], as: UTF8.self) != "little"
    {
      throw fail("it was saved on a big-endian machine; save it again on a little-endian one")
    }
    let root = try Pickle.load(UnsafeRawBufferPointer(rebasing: file.bytes[pickle.range]), file: path)
    var tensors: [CheckpointTensor] = []
    for (name, tensor) in try flatten(root, path: path) {
      guard let entry = archive.entries[folder + "data/" + tensor.key] else {
        throw fail("the storage of \(name) is missing; it is truncated, fetch it again")
      }
      let size = tensor.type.blockByteCount
      guard let count = product(tensor.shape), let available = product([tensor.storageCount, size]),
        available <= entry.range.count
      else { throw fail("tensor \(name) of shape \(tensor.shape) does not fit its storage; the file is damaged") }
      var reach = tensor.offset
      for (length, stride) in zip(tensor.shape, tensor.strides) where count > 0 {
        guard let span = product([length - 1, stride]), !reach.addingReportingOverflow(span).overflow else {
          throw fail("tensor \(name) has impossible strides; the file is damaged")
        }
        reach += span
      }
      guard count == 0 || reach < tensor.storageCount, tensor.offset <= tensor.storageCount else {
        throw fail("tensor \(name) of shape \(tensor.shape) reaches outside its storage; the file is damaged")
      }
      var step = 1
      var contiguous = true
      for (length, stride) in zip(tensor.shape, tensor.strides).reversed() where length != 1 {
        contiguous = contiguous && stride == step
        step *= length
      }
      let start = entry.range.lowerBound + tensor.offset * size
      // A broadcast view could claim far more elements than its file holds.
      guard count <= max(1, file.bytes.count) else {
        throw fail("tensor \(name) claims \(count) values; it is damaged")
      }
      let length = contiguous ? count * size : entry.range.upperBound - start
      tensors.append(
        CheckpointTensor(
          name: name, type: tensor.type, shape: tensor.shape, file: file, range: start..<start + length,
          strides: contiguous ? nil : tensor.strides))
    }
    return try Checkpoint(format: .pytorch, path: path, tensors: tensors)
  }

  /// Opens the shards that an index (`pytorch_model.bin.index.json`) names.
  public static func openIndex(_ path: String) throws -> Checkpoint { try openShards(path) { try open($0) } }

  private static func flatten(_ root: Pickle.Value, path: String) throws -> [(String, Pickle.Tensor)] {
    guard case .dictionary(let box) = root else {
      throw CheckpointError(file: path, "it is not a dictionary of tensors; save model.state_dict() with torch.save")
    }
    let entries = box.contents
    // A training checkpoint keeps the weights one level down.
    for (key, value) in entries {
      if case .string(let name) = key, ["state_dict", "model"].contains(name), case .dictionary = value {
        return try flatten(value, path: path)
      }
    }
    var tensors: [(String, Pickle.Tensor)] = []
    for (key, value) in entries {
      if case .string(let name) = key, case .tensor(let tensor) = value { tensors.append((name, tensor)) }
    }
    guard !tensors.isEmpty else { throw CheckpointError(file: path, "it holds no tensors; save model.state_dict()") }
    return tensors
  }
}
