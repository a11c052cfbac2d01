import ArgumentParser
import Foundation
import MartletModels

struct ModelCopy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cp",
    abstract: "Gives a model another name under MARTLET_HOME.",
    discussion: """
      Both names share the same bytes on disk; a model outside MARTLET_HOME, given by its path, is copied.

      Example: martlet models cp SmolLM2-135M-Instruct.Q4_1 small
      """,
    aliases: ["copy"])
  @Argument(help: "Path or name of the model.") var source: String
  @Argument(help: "The new name.") var name: String
  @Flag(help: "Replace a model that has this name.") var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let library = ModelLibrary()
    guard source != BuiltInModel.name || FileManager.default.fileExists(atPath: source) else {
      throw ModelError("\(source) is built into martlet; write it to a file with `martlet convert \(source) FILE.gguf`")
    }
    // What is no model, or a broken one, does not come into the library.
    _ = try library.open(source)
    let path = try library.copy(source, to: name, replaces: force)
    if json { try Terminal.printJSON(["name": name, "path": path]) } else { print(path) }
  }
}
