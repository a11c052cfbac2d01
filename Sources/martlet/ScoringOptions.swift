import ArgumentParser
import MartletEditing
import MartletEvaluation
import MartletModels

/// How a command that scores texts does it.
struct ScoringOptions: ParsableArguments {
  @Option(
    help: """
      The largest number of tokens that the model reads of a text (default: its context length). Of a longer text the \
      beginning of the context is left out.
      """)
  var maxLength: Int?
  @Option(help: "File with edits to apply (default: the model is scored without edits).") var edits: String?

  func validate() throws {
    if let maxLength, maxLength < 1 { throw ValidationError("--max-length must be 1 or more") }
  }

  /// A scorer of a model.
  /// - Throws: `EditError` if the file of edits does not exist or belongs to another model.
  func scorer(_ loaded: LoadedModel) async throws -> ModelScorer {
    var options = ModelScorer.Options()
    options.maxLength = maxLength
    if let edits {
      let live = LiveEdits(path: edits, loaded: loaded)
      guard live.isPresent else { throw EditError("\(edits): this file of edits does not exist") }
      try await live.open()
      options.interventions = live
    }
    return ModelScorer(loaded, options: options)
  }
}
