import MartletBox
import MartletCheckpoints
import MartletData

/// The model in the box: a small RWKV-5.2 over bytes that is part of the program, so that Martlet writes with no
/// download at all. Its card is Sources/MartletBox/MODEL_CARD.md.
public enum BuiltInModel {
  /// The name by which commands know it.
  public static let name = "box"

  /// The model's file, which lies in the program.
  ///
  /// - Throws: `CheckpointError` where the program is damaged.
  public static func checkpoint() throws -> Checkpoint {
    var size = 0
    let start = martlet_box(&size)
    return try GGUF.read(MappedFile(name: name, builtIn: .init(start: start, count: size)))
  }
}
