import Foundation
import MartletData

/// The index of a model in shards (`model.safetensors.index.json`): which file holds which tensor.
enum ShardIndex {
  private static let shardLimit = 10_000

  /// Opens every file that the index names, all in its folder, and joins them. A tensor of a shard that the index does
  /// not name belongs to the model as well, as for transformers; one that stands in two shards is refused.
  static func open(_ path: String, open: (String) throws -> Checkpoint) throws -> Checkpoint {
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    guard let map = try readJSONObject(path)["weight_map"]?.object else {
      throw fail("it has no weight_map; it is not an index of shards")
    }
    let folder = path.parentFolder
    var shards: [String: Checkpoint] = [:]
    for (name, value) in map.sorted(by: { $0.key < $1.key }) {
      guard let shard = value.string, !shard.contains("/"), !["", ".", ".."].contains(shard) else {
        throw fail("the shard of \(name) is not a plain file name; the index is damaged")
      }
      if shards[shard] == nil {
        guard shards.count < shardLimit else { throw fail("it lists more than \(shardLimit) files; it is damaged") }
        let file = (folder as NSString).appendingPathComponent(shard)
        guard FileManager.default.fileExists(atPath: file) else {
          throw fail("the shard \(shard) of this index is missing in its folder; fetch \(shard) too")
        }
        shards[shard] = try open(file)
      }
      guard let file = shards[shard], file[name] != nil || file.unreadable[name] != nil else {
        throw fail("\(shard) lacks the tensor \(name) that the index lists for it; fetch both again")
      }
    }
    guard let format = shards.values.first?.format else { throw fail("the index lists no tensor") }
    let inOrder = shards.sorted { $0.key < $1.key }
    for (shard, file) in inOrder {
      for name in file.names + file.unreadable.keys.sorted() {
        if let other = map[name]?.string, other != shard {
          throw fail(
            "\(shard) contains the tensor \(name), which the index lists for \(other); fetch all of them again")
        }
      }
    }
    return try Checkpoint(
      format: format, path: path,
      tensors: inOrder.flatMap { file in file.value.names.compactMap { file.value[$0] } },
      unreadable: Dictionary(inOrder.flatMap { $0.value.unreadable.map { ($0.key, $0.value) } }) { first, _ in first },
      beside: inOrder.flatMap(\.value.beside))
  }
}
