import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that are written: what stands at a path is never lost without the user's word, and nothing fails in silence.
struct OutputTests {
  private func problem(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
  }

  private func content(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : 0
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func aFreeNameIsWritten() throws {
    let scratch = try TestData.Scratch()
    for replaces in [false, true] {
      for name in ["plain", "with space", ".hidden", "ünïcode-名前", String(repeating: "n", count: 255)] {
        let path = scratch.file("\(name)")
        try? FileManager.default.removeItem(atPath: path)
        try AtomicFile.write(Array("hello".utf8), to: path, replaces: replaces)
        #expect(content(path) == "hello", "\(name)")
        #expect(mode(path) & 0o777 == 0o666 & ~currentMask)
      }
    }
    #expect(try names(scratch.path).allSatisfy { !$0.hasSuffix(".part") })
  }

  private var currentMask: mode_t {
    // Asking by umask(2) would change it for the tests beside this one.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let digits = status.split(separator: "\n").first { $0.hasPrefix("Umask:") }?.split(separator: "\t").last
    return digits.flatMap { mode_t($0, radix: 8) } ?? 0o022
  }

  @Test func whatIsThereStaysWithoutTheUsersWord() throws {
    let scratch = try TestData.Scratch()
    let file = scratch.file("file"), readOnly = scratch.file("read-only"), link = scratch.file("link")
    let dangling = scratch.file("dangling"), fifo = scratch.file("fifo"), folder = scratch.file("folder")
    let linkToFifo = scratch.file("link-to-fifo")
    for path in [file, readOnly] { try Data("old".utf8).write(to: URL(fileURLWithPath: path)) }
    chmod(readOnly, 0o444)
    symlink(file, link)
    symlink(scratch.file("nowhere"), dangling)
    symlink(fifo, linkToFifo)
    mkfifo(fifo, 0o600)
    mkdir(folder, 0o700)
    let before = try names(scratch.path)
    for (path, words) in [
      (file, "--force"), (readOnly, "read-only"), (link, "symbolic link"), (dangling, "without a target"),
      (fifo, "a pipe"), (linkToFifo, "a pipe"), (folder, "a folder"), ("/dev/null", "a device"),
      ("/dev/full", "a device"), ("", "give the name of a file"),
      (scratch.file("no/such/folder/x"), "does not exist; create it"),
      (file + "/x", "is not a folder"), (scratch.file("new/"), "the name of a folder"),
      ("/proc/self/x", "cannot be written"),
      (scratch.file(String(repeating: "n", count: 256)), "too long"),
    ] {
      let said = problem { try AtomicFile.write([1], to: path, replaces: false) }
      #expect(said?.contains(words) == true, "\(path): \(said ?? "nothing was said")")
      #expect(said?.contains("NSCocoa") != true && said?.contains("errno") != true)
    }
    #expect(content(file) == "old" && content(readOnly) == "old")
    #expect(mode(link) & S_IFMT == S_IFLNK && mode(fifo) & S_IFMT == S_IFIFO && mode(dangling) & S_IFMT == S_IFLNK)
    #expect(mode("/dev/full") & S_IFMT == S_IFCHR)
    #expect(try names(scratch.path) == before)
  }

  @Test func replacingKeepsModeAndLink() throws {
    let scratch = try TestData.Scratch()
    let file = scratch.file("file"), link = scratch.file("link"), far = scratch.file("far")
    for mode: mode_t in [0o600, 0o640, 0o444, 0o755] {
      try Data("old".utf8).write(to: URL(fileURLWithPath: file))
      chmod(file, mode)
      try AtomicFile.write(Array("new".utf8), to: file, replaces: true)
      #expect(content(file) == "new" && self.mode(file) & 0o777 == mode)
      chmod(file, 0o600)
    }
    symlink("file", link)
    symlink(link, far)
    try AtomicFile.write(Array("through".utf8), to: far, replaces: true)
    #expect(content(file) == "through" && mode(link) & S_IFMT == S_IFLNK && mode(far) & S_IFMT == S_IFLNK)
    #expect(problem { try AtomicFile.write([1], to: scratch.path, replaces: true) }?.contains("folder") == true)
  }

  @Test func devicesAndPipesAreWrittenIntoAndStay() throws {
    let scratch = try TestData.Scratch()
    try AtomicFile.write(Array("x".utf8), to: "/dev/null", replaces: true)
    let full = problem { try AtomicFile.write(Array("x".utf8), to: "/dev/full", replaces: true) }
    #expect(full?.contains("the disk is full") == true)
    for device in ["/dev/null", "/dev/full"] { #expect(mode(device) & S_IFMT == S_IFCHR) }
    let fifo = scratch.file("fifo")
    mkfifo(fifo, 0o600)
    // Nobody reads: an error, not a wait without end.
    #expect(problem { try AtomicFile.write([1], to: fifo, replaces: true) }?.contains("no program reads") == true)
    let reader = open(fifo, O_RDONLY | O_NONBLOCK)
    try AtomicFile.write(Array("through the pipe".utf8), to: fifo, replaces: true)
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = read(reader, &bytes, 100)
    close(reader)
    #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "through the pipe")
    #expect(mode(fifo) & S_IFMT == S_IFIFO)
  }

  /// Another process may take the name between the look and the end of the work.
  @Test func aNameThatIsTakenMeanwhileIsNotReplaced() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("file")
    let file = try AtomicFile(path: path, replaces: false)
    try Data("theirs".utf8).write(to: URL(fileURLWithPath: path))
    let said = problem { try file.commit() }
    #expect(said?.contains("exists already") == true && content(path) == "theirs")
  }

  @Test func twoWritersOfOneNameDoNotMix() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("file")
    let first = try AtomicFile(path: path), second = try AtomicFile(path: path)
    try Array("first".utf8).withUnsafeBytes { try first.write($0) }
    try Array("second".utf8).withUnsafeBytes { try second.write($0) }
    try first.commit()
    #expect(content(path) == "first")
    try second.commit()
    #expect(content(path) == "second")
    #expect(try names(scratch.path) == ["file"])
  }

  @Test func leftoversOfTheDeadGoAndThoseOfTheLivingStay() throws {
    let scratch = try TestData.Scratch()
    let dead = Int32.max - 7
    // Held by a process of another container: no such number here, yet somebody has the lock.
    let held = scratch.file("file.\(dead - 1).part")
    let kept = ["file.\(getpid()).part", "file.x.part", "file.1.2.part", "other.\(dead).part", "file.part"]
    for name in kept + ["file.\(dead).part", "file.\(dead)-3.part", "file.\(dead - 1).part"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: scratch.file(name)))
    }
    let descriptor = open(held, O_RDONLY)
    flock(descriptor, LOCK_EX)
    defer { close(descriptor) }
    try AtomicFile.write([1], to: scratch.file("file"))
    #expect(try names(scratch.path) == (kept + ["file", "file.\(dead - 1).part"]).sorted())
  }

  /// A file size that is not allowed stands for every way in which writing ends early.
  @Test func nothingStaysOfWhatCouldNotBeWritten() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("file")
    try Data("old".utf8).write(to: URL(fileURLWithPath: path))
    do {
      let file = try AtomicFile(path: path)
      try [UInt8](repeating: 1, count: 3 << 20).withUnsafeBytes { try file.write($0) }
      // Dropped without a commit.
    }
    #expect(content(path) == "old")
    #expect(try names(scratch.path) == ["file"])
  }

  @Test func aGrowingFileIsCutAndGrows() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("lines")
    do {
      let file = try AppendedFile(path: path, keeping: 0)
      try file.append(Array("one\ntwo\n".utf8))
      try file.synchronize()
      #expect(file.byteCount == 8)
    }
    let file = try AppendedFile(path: path, keeping: 4)
    try file.append(Array("three\n".utf8))
    #expect(content(path) == "one\nthree\n" && file.byteCount == 10)
    // What is shorter than it should be does not get a hole.
    #expect(try AppendedFile(path: path, keeping: 1000).byteCount == 10)
    #expect(content(path) == "one\nthree\n")
    #expect(problem { _ = try AppendedFile(path: "/dev/full", keeping: 0) }?.contains("not a plain file") == true)
    #expect(problem { _ = try AppendedFile(path: scratch.file("no/x"), keeping: 0) } != nil)
  }

  /// What another process sees: a lock of flock(2) binds other descriptors of the same process as it binds other processes.
  @Test func aGrowingFileHasOneWriterHoweverOftenItIsRead() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("lines"), other = open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(other) }
    func isFree() -> Bool { flock(other, LOCK_EX | LOCK_NB) == 0 && flock(other, LOCK_UN) == 0 }
    do {
      var file = try AppendedFile(path: path, keeping: 0)
      #expect(!isFree())
      // A reader that closes the file, a check, and the writer's own second opening leave it locked.
      #expect(content(path) == "")
      try AppendedFile.check(path)
      file = try AppendedFile(path: path, keeping: 0)
      try file.append(Array("one\n".utf8))
      #expect(!isFree())
    }
    #expect(isFree())
    #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
    #expect(problem { _ = try AppendedFile(path: path, keeping: 0) }?.contains("another process is writing it") == true)
    #expect(problem { try AppendedFile.check(path) }?.contains("another process is writing it") == true)
    #expect(content(path) == "one\n")
  }

  @Test(arguments: [
    ("s", ""), ("", ""), ("name", ""), ("a/b", "a"), ("/a", "/"), ("/", "/"), ("//", "/"), ("a/b/", "a"), ("a//b", "a"),
    ("/a/b/c", "/a/b"), (".", ""), ("./s", "."),
  ])
  func foldersOfPaths(path: String, folder: String) {
    #expect(path.parentFolder == folder)
  }

  @Test func foldersAreMade() throws {
    let scratch = try TestData.Scratch()
    try OutputTarget.makeFolder(scratch.file("a/b//c/"))
    try OutputTarget.makeFolder(scratch.file("a/b/c"))
    #expect(mode(scratch.file("a/b/c")) & S_IFMT == S_IFDIR)
    try Data("x".utf8).write(to: URL(fileURLWithPath: scratch.file("file")))
    for path in ["file", "file/x", "file/x/y"] {
      let said = problem { try OutputTarget.makeFolder(scratch.file(path)) }
      #expect(said?.contains("folder") == true, "\(path): \(said ?? "nothing")")
    }
    #expect(problem { try OutputTarget.makeFolder("/proc/x/y") } != nil)
  }

  @Test func aDashIsNoFile() {
    #expect(problem { try OutputTarget.check("-", replaces: true) }?.contains("./-") == true)
  }
}
