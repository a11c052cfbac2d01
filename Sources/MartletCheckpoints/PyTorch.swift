import MartletData

/// PyTorch's `.pth` / `.bin`: a ZIP of one pickle and raw storages, or, before PyTorch 1.6, pickles followed by the storages.
public enum PyTorch {
  /// Opens one file of torch.save. The tensors of its state dictionary are found even inside wrapper dictionaries; none
  /// of them is read yet.
  /// - Throws: `FileError` for a damaged file, and for a pickle that contains anything other than tensors and
  ///   settings.
  public static func open(_ path: String) throws -> Checkpoint {
    let file = try MappedFile(path: path)
    return isLegacy(file.bytes) ? try openLegacy(file) : try openArchive(file)
  }

  /// Opens the shards that an index (`pytorch_model.bin.index.json`) names.
  public static func openIndex(_ path: String) throws -> Checkpoint { try ShardIndex.open(path) { try open($0) } }

  private static func openArchive(_ file: MappedFile) throws -> Checkpoint {
    let path = file.path
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    let archive = try ZipArchive(file)
    let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") }.sorted()
    guard let pickle = pickles.first, let entry = archive.entries[pickle] else {
      throw fail("it has no data.pkl; it is a ZIP file, but not one of PyTorch")
    }
    guard pickles.count == 1 else {
      throw fail(
        "it contains \(pickles.count) pickles (\(pickles.prefix(3).joined(separator: ", "))), so its content is ambiguous; it is refused, save it again with torch.save"
      )
    }
    let folder = String(pickle.dropLast("data.pkl".count))
    guard archive.entries[folder + "constants.pkl"] == nil else {
      throw fail("it is a TorchScript program; load it with torch.jit.load and save its state_dict() with torch.save")
    }
    if let order = archive.entries[folder + "byteorder"],
      String(decoding: file.bytes[order.range], as: UTF8.self) != "little"
    {
      throw fail("it was saved on a big-endian machine; save it again on a little-endian one")
    }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]), file: path)
    let graph = try Pickle.load(&reader)
    return try checkpoint(graph, file) { archive.entries[folder + "data/" + $0]?.range }
  }

  /// The tensors of a state dictionary, placed in their storages.
  static func checkpoint(
    _ graph: PickleGraph, _ file: MappedFile, storage: (_ key: String) -> Range<Int>?
  ) throws -> Checkpoint {
    var tensors: [CheckpointTensor] = []
    var unreadable: [String: String] = [:]
    let dictionary = try StateDictionary(graph, path: file.path)
    for (name, value) in dictionary.entries {
      switch graph.node(value)?.kind {
      case .tensor(let tensor): tensors.append(try place(tensor, name, file, storage(tensor.key)))
      case .unreadable(let reason): unreadable[name] = reason
      case .array: unreadable[name] = "is an array of numpy; save it again as a tensor, with torch.from_numpy"
      default: break
      }
    }
    return try Checkpoint(
      format: .pytorch, path: file.path, tensors: tensors, unreadable: unreadable, beside: dictionary.beside)
  }

  private static func place(
    _ tensor: PickleGraph.Tensor, _ name: String, _ file: MappedFile, _ storage: Range<Int>?
  ) throws -> CheckpointTensor {
    func fail(_ problem: String) -> FileError { FileError(file: file.path, problem) }
    guard let storage else { throw fail("the storage of \(name) is missing; it is truncated, fetch it again") }
    let size = tensor.type.blockByteCount
    guard let count = product(tensor.shape), let available = product([tensor.storageCount, size]),
      available <= storage.count
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
    // A broadcast view could claim far more elements than its file holds.
    guard count <= max(1, file.bytes.count) else {
      throw fail("tensor \(name) claims \(count) values; it is damaged")
    }
    var step = 1
    var contiguous = true
    for (length, stride) in zip(tensor.shape, tensor.strides).reversed() where length != 1 {
      contiguous = contiguous && stride == step
      step *= length
    }
    let start = storage.lowerBound + tensor.offset * size
    let end = contiguous || count == 0 ? start + count * size : start + (reach - tensor.offset + 1) * size
    return CheckpointTensor(
      name: name, type: tensor.type, shape: tensor.shape, file: file, range: start..<end,
      strides: contiguous || count == 0 ? nil : tensor.strides)
  }
}
