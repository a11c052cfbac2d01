import Foundation
import MartletData
import MartletHostCheck

/// `martlet host --update-tables`: takes a file, or a folder of microcode, into the tables under MARTLET_HOME.
struct TableUpdating {
  let path: String
  let json: Bool

  func run() throws {
    guard let folder = UpdatedTables.userFolder else {
      throw HostCheckError("neither MARTLET_HOME nor HOME is set, so there is no folder for the tables; set one")
    }
    let update = try read()
    let change = try UpdatedTables(folder: folder).adding(update)
    do {
      if !change.files.isEmpty { try OutputTarget.makeFolder(folder) }
      for file in change.files { try AtomicFile.write(file.text.utf8, to: "\(folder)/\(file.name)") }
    } catch let error as FileError {
      throw HostCheckError(error.description)
    }
    if json {
      return try Terminal.printJSON([
        "file": update.name, "date": update.date, "new_revisions": change.newRevisions,
        "new_processors": change.newProcessors, "written": change.files.map { "\(folder)/\($0.name)" },
      ])
    }
    guard !change.files.isEmpty else {
      return print("\(update.name) of \(update.date) contains nothing new for the tables")
    }
    if change.newRevisions > 0 { print("\(change.newRevisions) new revisions of microcode") }
    if change.newProcessors > 0 { print("\(change.newProcessors) new processors in Intel's list") }
    for file in change.files { print("\(folder)/\(file.name)") }
  }

  private func read() throws -> TableUpdate {
    var isFolder: ObjCBool = false
    let files = FileManager.default
    guard files.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw HostCheckError("there is no file \(path); check the path")
    }
    guard isFolder.boolValue else { return try read(path) }
    // An unpacked archive of Intel's: its notes say all that its microcode says, and when it was released.
    let notes = path + "/releasenote.md"
    if files.fileExists(atPath: notes) { return try read(notes) }
    guard let names = try? files.contentsOfDirectory(atPath: path) else {
      throw HostCheckError("the folder \(path) cannot be read; check its permissions")
    }
    let microcode = names.sorted().filter {
      $0.wholeMatch(of: /[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}|microcode_amd.*\.bin/) != nil
    }
    guard !microcode.isEmpty else {
      throw HostCheckError(
        "\(path) contains neither releasenote.md nor microcode files (06-6a-06, microcode_amd_fam19h.bin); give the folder that contains them"
      )
    }
    return TableUpdate(
      microcode: try microcode.map { try read("\(path)/\($0)") }, name: (path as NSString).lastPathComponent)
  }

  private func read(_ path: String) throws -> TableUpdate {
    let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    return try TableUpdate(
      HostReader.bytes(of: path), name: (path as NSString).lastPathComponent,
      fileDate: Self.day(min(changed ?? Date(), Date())), today: Self.day(Date()))
  }

  /// year-month-day in UTC.
  private static func day(_ date: Date) -> String { String(date.ISO8601Format().prefix(10)) }
}
