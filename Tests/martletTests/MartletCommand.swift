import Foundation
import MartletTestSupport

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Runs the command that was built beside the tests.
enum MartletCommand {
  /// Waits until a server is writing an answer, so that a signal finds one however busy the machine is. On a very busy one the
  /// answer may have been written before that is seen.
  static func waitUntilAnswering(_ address: String) async throws {
    guard let metrics = URL(string: address + "/metrics") else { throw POSIXError(.EINVAL) }
    for _ in 0..<1_500 {
      let text = String(decoding: try await URLSession.shared.data(from: metrics).0, as: UTF8.self)
      if text.contains("martlet_requests_running 1\n") || text.contains("/v1/completions") { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw POSIXError(.ETIMEDOUT)
  }

  static let executable: String = {
    // Beside the test bundle.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for _ in 0..<4 {
      let path = folder.appendingPathComponent("martlet").path
      if FileManager.default.isExecutableFile(atPath: path) { return path }
      folder.deleteLastPathComponent()
    }
    return "martlet"
  }()

  struct Result {
    let code: Int32
    let output: [UInt8]
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Ends a command that does not end by itself, so that a test of it fails instead of waiting for ever. The time is that of the whole suite
  /// and more: a test may wait for a thread of its own for minutes while the others run.
  struct Watch {
    private let item: DispatchWorkItem

    init(_ process: Process, seconds: Double = 900) {
      let number = process.processIdentifier
      item = DispatchWorkItem { kill(number, SIGKILL) }
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: item)
    }

    /// To be called once the process has ended.
    func end() { item.cancel() }
  }

  /// - Parameters:
  ///   - input: standard input; nil for one that is open and brings nothing but its end.
  ///   - environment: what is added to this process's own; an empty folder is MARTLET_HOME.
  static func run(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
  ) throws -> Result {
    let scratch = try TestData.Scratch()
    _ = FileManager.default.createFile(atPath: scratch.file("in"), contents: Data(input))
    for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: scratch.file(name), contents: nil) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["MARTLET_HOME": scratch.path].merging(environment) { $1 }
    ) { $1 }
    process.standardInput = FileHandle(forReadingAtPath: scratch.file("in"))
    process.standardOutput = FileHandle(forWritingAtPath: scratch.file("out"))
    process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
    try process.run()
    let watch = Watch(process)
    process.waitUntilExit()
    watch.end()
    return Result(
      code: process.terminationStatus,
      output: [UInt8](FileManager.default.contents(atPath: scratch.file("out")) ?? Data()),
      errors: String(decoding: FileManager.default.contents(atPath: scratch.file("err")) ?? Data(), as: UTF8.self))
  }
}
