import Foundation
import MartletData

extension PyTorch {
  /// Writes a `.pth` as torch.save does: a flat dictionary of tensors, pickled by protocol 2 in an uncompressed ZIP
  /// whose storages are aligned to 64 bytes. The file gets its name only when it is complete.
  ///
  /// - Precondition: types are f32, f16 or bf16.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])], replaces: Bool = true,
    bytes: (_ index: Int, _ write: ByteSink) throws -> Void
  ) throws {
    let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    let archive = try StoredArchive(path: path, replaces: replaces)
    try archive.add("\(stem)/data.pkl", Array(try pickle(tensors, path: path)))
    try archive.add("\(stem)/byteorder", Array("little".utf8))
    for (index, tensor) in tensors.enumerated() {
      guard let size = tensor.type.byteCount(shape: tensor.shape) else {
        throw FileError(file: path, "\(tensor.name) of shape \(tensor.shape) is too large")
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
        throw FileError(
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
