import ArgumentParser
import MartletEditing
import MartletEngine
import MartletModels

/// Which edits a command answers with.
struct AppliedEdits: ParsableArguments {
  @Option(help: "File with the edits of the model (default: MODEL.edits.sqlite next to it).") var edits: String?
  @Flag(help: "Answer without edits.") var noEdits = false

  func validate() throws {
    if noEdits, edits != nil { throw ValidationError("--edits and --no-edits cannot be given together") }
  }

  /// The edits in force over a model, which are kept up with the file as others change it; nil where there are none.
  ///
  /// Edits that were asked for by name must be usable. Those that merely lie beside the model and were made for it in
  /// another form are left out, which is said.
  func editor(_ loaded: LoadedModel, model: String) async throws -> LiveEdits? {
    guard !noEdits else { return nil }
    let path = try EditOptions.path(edits, model: model)
    let live = LiveEdits(path: path, loaded: loaded)
    guard live.isPresent else {
      if edits != nil { throw EditError("\(path): this file of edits does not exist") }
      return nil
    }
    do { try await live.open() } catch let error as EditError where edits == nil {
      Terminal.note("Warning: no edits are applied: \(error)")
      return nil
    }
    Task.detached { await live.follow() }
    return live
  }

  /// An engine that answers with these edits.
  func engine(_ loaded: LoadedModel, model: String) async throws -> Engine {
    var options = Engine.Options()
    options.interventions = try await editor(loaded, model: model)
    return Engine(loaded, options: options)
  }
}
