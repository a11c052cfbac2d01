import CMartletBox
import MartletCheckpoints
import MartletData

/// The built-in model: a small RWKV-5.2 over bytes that is part of the program, so that Martlet works without a
/// download. Its model card is Sources/CMartletBox/MODEL_CARD.md.
public enum BuiltInModel {
  /// The name of the model on the command line.
  public static let name = "box"

  /// The checkpoint, which is embedded in the program.
  ///
  /// - Throws: `FileError` if the program is damaged.
  public static func checkpoint() throws -> Checkpoint {
    var size = 0
    let start = martlet_box(&size)
    return try GGUF.read(MappedFile(name: name, builtIn: .init(start: start, count: size)))
  }
}
