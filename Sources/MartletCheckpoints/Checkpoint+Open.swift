import Foundation
import MartletData

extension Checkpoint {
  /// Opens a model by path: a file in any format that Martlet reads (detected from its first bytes and not from its
  /// name), an index of shards, or a folder in the layout of the Hugging Face hub.
  ///
  /// - Throws: `FileError` that says why the file cannot be read.
  public static func open(_ path: String) throws -> Checkpoint {
    var isFolder: ObjCBool = false
    let manager = FileManager.default
    guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError(file: path, "there is no such file; check the path, or see `martlet models list`")
    }
    if isFolder.boolValue {
      return try open((path as NSString).appendingPathComponent(ModelFolder.modelFile(in: path)))
    }
    var checkpoint = try openFile(path)
    if checkpoint.format != .gguf { checkpoint = try checkpoint.unwrapped() }
    let configuration = (path.parentFolder as NSString).appendingPathComponent("config.json")
    if checkpoint.format != .gguf, manager.fileExists(atPath: configuration) {
      checkpoint.configuration = try readJSONObject(configuration, limit: 16 << 20)
    }
    return checkpoint
  }

  private static func openFile(_ path: String) throws -> Checkpoint {
    if path.hasSuffix(".safetensors.index.json") { return try Safetensors.openIndex(path) }
    if path.hasSuffix(".bin.index.json") { return try PyTorch.openIndex(path) }
    let file = try MappedFile(path: path)
    let (head, isLegacy) = withExtendedLifetime(file) { (Array(file.bytes.prefix(9)), PyTorch.isLegacy(file.bytes)) }
    if head.starts(with: Array("GGUF".utf8)) { return try GGUF.open(path) }
    if head.starts(with: [0x66, 0x6d, 0x67, 0x67]) { return try RWKVCpp.open(path) }
    if head.starts(with: Array("PK".utf8)) || isLegacy {
      return try openParts(path, PyTorch.open)
    }
    // JSON may begin with spaces, and safetensors' own reader takes them.
    if head.count == 9, [0x7b, 0x20, 0x0a, 0x0d, 0x09].contains(head[8]) {
      return try openParts(path, Safetensors.open)
    }
    if head.first == 0x80 {
      throw FileError(
        file: path, "it is a bare Python pickle, not a file of torch.save; save the tensors with torch.save")
    }
    throw FileError(
      file: path, "this is not a model file that Martlet supports (GGUF, safetensors, PyTorch .pth/.bin, rwkv.cpp .bin)"
    )
  }

  /// Opens a file; one that is named as a part (`model-00001-of-00002.safetensors`) with all its parts.
  private static func openParts(_ path: String, _ open: (String) throws -> Checkpoint) throws -> Checkpoint {
    guard let parts = FileParts(path), parts.count > 1 else { return try open(path) }
    let all = try parts.open(open)
    return try Checkpoint(
      format: all[0].format, path: path, tensors: all.flatMap { part in part.names.compactMap { part[$0] } },
      unreadable: Dictionary(all.flatMap(\.unreadable)) { first, _ in first }, beside: all.flatMap(\.beside))
  }
}
