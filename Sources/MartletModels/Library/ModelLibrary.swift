import Foundation
import MartletCheckpoints
import MartletData

/// The user's models by name, in the folder `models/` of `MARTLET_HOME` (default `~/.martlet`).
public struct ModelLibrary: Sendable {
  /// A model of the library.
  public struct Entry: Sendable {
    /// The name on the command line: the path below the library's folder, without the file extension.
    public let name: String
    /// The path of the file, or of the folder in the hub's layout.
    public let path: String
    /// The size on disk in bytes.
    public let byteCount: Int
  }

  /// The folder that contains the models.
  public let folder: String

  /// The library of a user.
  ///
  /// - Parameter home: the folder to use in place of `MARTLET_HOME`.
  public init(home: String? = nil) {
    folder = (home ?? MartletHome.folder) + "/models"
  }

  private static let endings = [".gguf", ".safetensors", ".pth", ".st", ".bin"]

  /// All models in the library, sorted by name.
  public func list() -> [Entry] {
    guard let files = FileManager.default.enumerator(atPath: folder) else { return [] }
    var folders: [String: Int] = [:]
    var entries: [Entry] = []
    for case let file as String in files where Self.endings.contains(where: file.hasSuffix) {
      let path = folder + "/" + file
      // Of the file itself where this is a link to it.
      let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      let size = (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int) ?? 0
      let parent = file.parentFolder
      if !file.hasSuffix(".gguf"), !file.hasSuffix(".pth"), !file.hasSuffix(".st"), !parent.isEmpty {
        folders[parent, default: 0] += size  // a hub folder is one model
      } else {
        entries.append(Entry(name: (file as NSString).deletingPathExtension, path: path, byteCount: size))
      }
    }
    entries += folders.map { Entry(name: $0.key, path: folder + "/" + $0.key, byteCount: $0.value) }
    return entries.sorted { $0.name < $1.name }
  }

  /// Opens a model given by path or name; ``BuiltInModel/name`` is the built-in model, unless a model lies at that path.
  public func open(_ nameOrPath: String) throws -> Checkpoint {
    if nameOrPath == BuiltInModel.name, !Self.isModel(nameOrPath) { return try BuiltInModel.checkpoint() }
    return try Checkpoint.open(resolve(nameOrPath))
  }

  /// Whether a file lies at a path, or a folder that contains a model. A folder without one, such as the results of a run, takes no
  /// model's name away.
  private static func isModel(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
    guard isFolder.boolValue else { return true }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.contains { file in endings.contains(where: file.hasSuffix) || file.hasSuffix(".index.json") }
  }

  /// The names of models that are similar to a word, including that of the built-in model.
  public func names(near word: String) -> [String] {
    NearestNames.of(word, among: list().map(\.name) + [BuiltInModel.name])
  }

  /// The path of a model given by path or name. A name may omit its folder if it is unambiguous.
  public func resolve(_ nameOrPath: String) throws -> String {
    guard !nameOrPath.isEmpty else {
      throw ModelError("the model's name is empty; give a path, or a name that `martlet models list` shows")
    }
    let exists = FileManager.default.fileExists(atPath: nameOrPath)
    if exists, nameOrPath.contains("/") || Self.isModel(nameOrPath) { return nameOrPath }
    let entries = list()
    if let exact = entries.first(where: { $0.name == nameOrPath }) { return exact.path }
    let inside = entries.filter {
      $0.name.hasPrefix(nameOrPath + "/") || ($0.name as NSString).lastPathComponent == nameOrPath
    }
    if inside.count == 1 { return inside[0].path }
    if inside.count > 1 {
      throw ModelError("\(nameOrPath) could be \(inside.map(\.name).joined(separator: " or ")); name one of them")
    }
    // The reader of checkpoints says what the folder lacks.
    if exists { return nameOrPath }
    let near = names(near: nameOrPath)
    throw ModelError(
      "there is no model \(nameOrPath), neither a file nor in \(folder); "
        + (near.isEmpty ? "see" : "did you mean \(near.joined(separator: " or "))? See")
        + " `martlet models list`, or fetch one with `martlet models pull`")
  }
}
