import Foundation
import MartletData

/// The files of a model that is saved in parts, named as the hub and llama.cpp do: `NAME-00002-of-00005.gguf`.
struct FileParts {
  let count: Int
  private let folder: String
  let stem: String
  let ending: String

  /// From the path of any part; nil where the name is not that of a part.
  init?(_ path: String) {
    let name = (path as NSString).lastPathComponent
    guard let match = name.wholeMatch(of: /(.+)-(\d{5})-of-(\d{5})(\.[A-Za-z]+)/), let number = Int(match.2),
      let count = Int(match.3), count > 0, (1...count).contains(number)
    else { return nil }
    self.count = count
    folder = path.parentFolder
    stem = String(match.1)
    ending = String(match.4)
  }

  /// A number as it stands in the names.
  static func digits(_ number: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }

  /// Opens every part, from the first.
  /// - Throws: ``FileError`` that names the first part that is missing.
  func open(_ open: (String) throws -> Checkpoint) throws -> [Checkpoint] {
    let names = (1...count).map { "\(stem)-\(Self.digits($0))-of-\(Self.digits(count))\(ending)" }
    let paths = names.map { folder.isEmpty ? $0 : (folder as NSString).appendingPathComponent($0) }
    for path in paths where !FileManager.default.fileExists(atPath: path) {
      throw FileError(file: path, "this part of the \(count) of the model is missing; fetch it too")
    }
    return try paths.map(open)
  }
}
