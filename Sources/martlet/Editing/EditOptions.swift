import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletModels

/// Where edits lie, and the model they are for.
struct EditOptions: ParsableArguments {
  @OptionGroup var options: ModelOptions
  @Option(help: "File with the edits (default: MODEL.edits.sqlite next to the model).") var edits: String?

  func path(makesFolder: Bool = false) throws -> String {
    try Self.path(edits, model: options.model, makesFolder: makesFolder)
  }

  /// The file that a model's edits lie in. The model in the box has its own under MARTLET_HOME, where a folder is made
  /// for it if edits are to be made.
  static func path(_ edits: String?, model: String, makesFolder: Bool = false) throws -> String {
    if let edits { return edits }
    let library = ModelLibrary()
    if model == BuiltInModel.name, !FileManager.default.fileExists(atPath: model) {
      if makesFolder { try OutputTarget.makeFolder(library.folder) }
      return EditStore.path(besides: library.folder + "/" + BuiltInModel.name)
    }
    return EditStore.path(besides: try library.resolve(model))
  }

  /// The store alone for reading, which must be there: for commands that need no model.
  func store() throws -> EditStore {
    let path = try path()
    guard FileManager.default.fileExists(atPath: path) else {
      throw EditError("there are no edits yet (\(path)); `martlet edit add` makes the first")
    }
    return try EditStore(path: path, access: .reading)
  }

  /// Model, engine and edits together.
  ///
  /// - Parameter access: `.making` makes a store where there is none.
  func editor(
    _ access: EditStore.Access, site: (any TrainableModel) -> EditSite? = { _ in nil }
  ) throws -> Editor {
    // What is wrong with the file is said before the model is loaded.
    let store = try access == .reading ? store() : EditStore(path: path(makesFolder: true))
    let loaded = try options.load()
    let model = try loaded.editable
    let book = try EditBook.open(loaded, store: store, site: site(model))
    var settings = Engine.Options()
    settings.interventions = book
    return Editor(engine: Engine(loaded, options: settings), book: book, store: store)
  }
}

extension Edit {
  /// One line of a list.
  var line: String {
    let mark = status == .live ? (isVerified ? " " : "!") : status == .undone ? "-" : "~"
    return String(format: "%5d %@ ", id ?? 0, mark) + "\(prompt.printable)  →  \(answer.printable)"
  }
}

extension FiredEdit {
  /// What machines get to see of the edit that changed an answer.
  var json: [String: Any] {
    ["id": id, "distance": Double(distance), "radius": Double(radius), "by": means.rawValue]
  }
}
