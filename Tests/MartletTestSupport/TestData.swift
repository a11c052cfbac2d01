import Foundation

/// Where tests find files, and numbers from other people's programs.
public enum TestData {
  /// `Tests/Fixtures`, part of the repository.
  public static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  /// The data folder given by `MARTLET_DATA` (without it, `shared/data` in the folder that contains the repository); nil
  /// if it is absent, and tests that need it are skipped.
  public static let shared: String? = {
    let root = URL(fileURLWithPath: fixtures).deletingLastPathComponent().deletingLastPathComponent()
    let path =
      ProcessInfo.processInfo.environment["MARTLET_DATA"]
      ?? root.deletingLastPathComponent().appendingPathComponent("shared/data").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// SmolLM2-135M-Instruct, where `make demo` puts it or `MARTLET_SMOLLM2` says; nil where it is absent, and tests of it
  /// skip.
  public static let smolLM2: String? = {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["MARTLET_HOME"] ?? NSHomeDirectory() + "/.martlet"
    let path = environment["MARTLET_SMOLLM2"] ?? home + "/models/SmolLM2-135M-Instruct.Q4_1.gguf"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// The folder `cases` beside the data folder; nil if it is absent, and tests that need it are skipped.
  public static let cases: String? = {
    guard let shared else { return nil }
    let path = URL(fileURLWithPath: shared).deletingLastPathComponent().appendingPathComponent("cases").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  public static func floats(_ path: String) throws -> [Float] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return data.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        Float(bitPattern: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self).littleEndian)
      }
    }
  }

  public static func json(_ path: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The contents of a .gz file.
  public static func gunzip(_ path: String) throws -> Data {
    let process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gunzip", "-c", path]
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return data
  }

  /// A folder for one test, removed when the value goes.
  public final class Scratch {
    public let path: String
    public init() throws {
      path = NSTemporaryDirectory() + "martlet-test-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file quickly, for tests that write thousands.
    public func write(_ bytes: [UInt8], to name: String) throws {
      guard let file = fopen(file(name), "w") else { throw CocoaError(.fileWriteUnknown) }
      defer { fclose(file) }
      guard bytes.withUnsafeBytes({ fwrite($0.baseAddress, 1, $0.count, file) }) == bytes.count else {
        throw CocoaError(.fileWriteUnknown)
      }
    }
  }

  /// Largest |a - b|; infinity where the counts differ or a value is not a number.
  public static func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { worst, pair in
      let gap = abs(pair.0 - pair.1)
      return gap.isNaN ? .infinity : max(worst, gap)
    }
  }

  /// Reproducible values in -1 ..< 1.
  public static func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
    }
  }
}
