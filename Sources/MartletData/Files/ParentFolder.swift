extension String {
  /// The folder that contains the path: empty for a bare name, `/` for an entry of the root folder. Foundation's
  /// `deletingLastPathComponent` gives the same but traps for a name of one letter (Swift 6.3.1 on Linux).
  package var parentFolder: String {
    var path = self[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "" }
    path = path[..<slash]
    while path.last == "/" { path.removeLast() }
    return path.isEmpty ? "/" : String(path)
  }
}
