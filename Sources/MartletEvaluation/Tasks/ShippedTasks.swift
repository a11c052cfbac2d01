import CMartletData

/// The tasks that are part of the program: the files of `Sources/CMartletData/Tasks`.
enum ShippedTasks {
  /// Names and bytes of the files.
  static var files: [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = []
    while true {
      let file = martlet_tasks(files.count)
      guard let name = file.name, let bytes = file.bytes else { return files }
      files.append((String(cString: name), Array(UnsafeBufferPointer(start: bytes, count: file.size))))
    }
  }

  /// What the files say, in the order of the alphabet. The tests read every file, so that none is left out.
  static var definitions: [TaskDefinition] {
    files.flatMap { (try? TaskReader.definitions($0.bytes, of: $0.name)) ?? [] }.sorted { $0.name < $1.name }
  }
}
