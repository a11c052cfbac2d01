import Foundation

extension Checkpoint {
  /// Opens a model by path: a file in any format Martlet reads (told from its first bytes, not its name), an
  /// index of shards, or a folder as the Hugging Face hub lays them out.
  public static func open(_ path: String) throws -> Checkpoint {
    var isFolder: ObjCBool = false
    let manager = FileManager.default
    guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CheckpointError(file: path, "there is no such file; check the path, or see `martlet models list`")
    }
    if isFolder.boolValue {
      let names = try manager.contentsOfDirectory(atPath: path).sorted()
      let preferred = [
        "model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin",
      ]
      let found =
        preferred.first { names.contains($0) }
        ?? names.first { name in [".safetensors", ".gguf", ".pth", ".st", ".bin"].contains { name.hasSuffix($0) } }
      guard let found else {
        throw CheckpointError(file: path, "the folder holds no model file (.safetensors, .gguf, .pth, .st or .bin)")
      }
      return try open((path as NSString).appendingPathComponent(found))
    }
    var checkpoint = try openFile(path)
    let configuration = ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent("config.json")
    if checkpoint.format != .gguf, manager.fileExists(atPath: configuration) {
      checkpoint.configuration = try readJSONObject(configuration)
    }
    return checkpoint
  }

  private static func openFile(_ path: String) throws -> Checkpoint {
    if path.hasSuffix(".safetensors.index.json") { return try Safetensors.openIndex(path) }
    if path.hasSuffix(".bin.index.json") { return try PyTorch.openIndex(path) }
    let file = try MappedFile(path: path)
    let head = withExtendedLifetime(file) { Array(file.bytes.prefix(9)) }
    if head.starts(with: Array("GGUF".utf8)) { return try GGUF.open(path) }
    if head.starts(with: [0x66, 0x6d, 0x67, 0x67]) { return try RWKVCpp.open(path) }
    if head.starts(with: Array("PK".utf8)) { return try PyTorch.open(path) }
    if head.count == 9, head[8] == UInt8(ascii: "{") { return try Safetensors.open(path) }
    if head.first == 0x80 {
      throw CheckpointError(
        file: path, "it is a bare pickle of PyTorch before 1.6; load it there and save it again with torch.save")
    }
    throw CheckpointError(
      file: path, "this is no model file that Martlet knows (GGUF, safetensors, PyTorch .pth/.bin, rwkv.cpp .bin)")
  }
}
