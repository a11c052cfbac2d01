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

extension PyTorch {
  /// Writes a `.pth` as torch.save does: a flat dictionary of tensors, pickled by protocol 2 in an uncompressed ZIP
  /// whose storages begin at multiples of 64 bytes. The file appears under its name only when it is whole.
  ///
  /// - Precondition: types are f32, f16 or bf16.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])],
    bytes: (_ index: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    let archive = try StoredArchive(path: path)
    try archive.add("\(stem)/data.pkl", Array(try pickle(tensors, path: path)))
    try archive.add("\(stem)/byteorder", Array("little".utf8))
    for (index, tensor) in tensors.enumerated() {
      guard let size = tensor.type.byteCount(shape: tensor.shape) else {
        throw CheckpointError(file: path, "\(tensor.name) of shape \(tensor.shape) is too large")
      }
      var checksum = CRC32()
      try bytes(index) { checksum.update($0) }
      try archive.begin("\(stem)/data/\(index)", byteCount: size, checksum: checksum.value)
      try bytes(index) { try archive.append($0) }
    }
    try archive.add("\(stem)/version", Array("3\n".utf8))
    try archive.finish()
  }

  /// `{name: _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())}`.
  private static func pickle(
    _ tensors: [(name: String, type: FileType, shape: [Int])], path: String
  ) throws -> [UInt8] {
    var out: [UInt8] = [0x80, 2, UInt8(ascii: "}"), UInt8(ascii: "(")]
    func text(_ string: String) {
      out.append(UInt8(ascii: "X"))
      withUnsafeBytes(of: UInt32(string.utf8.count).littleEndian) { out += $0 }
      out += Array(string.utf8)
    }
    func global(_ module: String, _ name: String) { out += Array("c\(module)\n\(name)\n".utf8) }
    func integer(_ value: Int) {
      if let small = Int32(exactly: value) {
        out.append(UInt8(ascii: "J"))
        withUnsafeBytes(of: small.littleEndian) { out += $0 }
      } else {
        out += [0x8a, 8]
        withUnsafeBytes(of: Int64(value).littleEndian) { out += $0 }
      }
    }
    func tuple(_ values: [Int]) {
      out.append(UInt8(ascii: "("))
      values.forEach(integer)
      out.append(UInt8(ascii: "t"))
    }
    for (index, tensor) in tensors.enumerated() {
      let storage: String
      switch tensor.type {
      case .f32: storage = "FloatStorage"
      case .f16: storage = "HalfStorage"
      case .bf16: storage = "BFloat16Storage"
      default:
        throw CheckpointError(
          file: path, ".pth has no type for \(tensor.name) (\(tensor.type)); choose f32, f16 or bf16")
      }
      let count = tensor.shape.reduce(1, *)
      text(tensor.name)
      global("torch._utils", "_rebuild_tensor_v2")
      out += Array("((".utf8)  // the arguments, and in them the storage's persistent id
      text("storage")
      global("torch", storage)
      text("\(index)")
      text("cpu")
      integer(count)
      out += Array("tQ".utf8)
      integer(0)
      tuple(tensor.shape)
      var strides = [Int](repeating: 1, count: tensor.shape.count)
      for axis in strides.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * tensor.shape[axis + 1] }
      tuple(strides)
      out.append(0x89)  // no gradient
      global("collections", "OrderedDict")
      out += Array(")RtR".utf8)
    }
    out += Array("u.".utf8)
    return out
  }
}
