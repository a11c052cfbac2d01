extension String {
  /// The folder that a path lies in: empty for a bare name, `/` for what lies there. Foundation's
  /// `deletingLastPathComponent` says the same, but ends the program at a name of one letter (Swift 6.3.1 on Linux).
  public var parentFolder: String {
    var path = self[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "" }
    path = path[..<slash]
    while path.last == "/" { path.removeLast() }
    return path.isEmpty ? "/" : String(path)
  }
}
