import ArgumentParser
import MartletModels

/// How much of a text the model may look back on.
struct ContextOptions: ParsableArguments {
  @Option(
    name: [.customShort("c"), .customLong("ctx-size")],
    help: "Maximum number of tokens of question and answer together; 0 takes the model's own context length.")
  var size = 0

  func validate() throws {
    if !(size == 0 || (16...1 << 30).contains(size)) {
      throw ValidationError("--ctx-size must be 0 (the model's own context length) or at least 16")
    }
  }

  /// - Returns: nil where there is no end.
  /// - Throws: `ValidationError` where the model's context is shorter.
  func limit(_ loaded: LoadedModel) throws -> Int? {
    let own = loaded.model.description.contextLength
    guard size > 0 else { return own }
    if let own, size > own {
      throw ValidationError("--ctx-size \(size) is more than this model's context of \(own) tokens")
    }
    return size
  }
}
