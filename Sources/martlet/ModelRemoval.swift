import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletModels

struct ModelRemoval: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm",
    abstract: "Removes models under MARTLET_HOME.",
    discussion: """
      The files are deleted at once and cannot be restored. Models are removed by their names; their edits are kept.

      Example: martlet models rm small
      """,
    aliases: ["remove"])
  @Argument(help: "Names of models, as `martlet models list` shows them.") var names: [String]
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let library = ModelLibrary()
    var removed: [ModelLibrary.Entry] = []
    for name in names {
      let entry = try library.remove(name)
      removed.append(entry)
      if !json { print("removed \(entry.name.printable)  \(SystemMemory.text(entry.byteCount))") }
      let edits = EditStore.path(besides: entry.path)
      if FileManager.default.fileExists(atPath: edits) { Terminal.note("Note: its edits are kept in \(edits)") }
    }
    if json {
      try Terminal.printJSON([
        "removed": removed.map { ["name": $0.name, "path": $0.path, "bytes": $0.byteCount] as [String: Any] }
      ])
    }
  }
}
