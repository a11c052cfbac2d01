import ArgumentParser
struct SkeletonBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bench", abstract: "…")
  func run() async throws {}
}
