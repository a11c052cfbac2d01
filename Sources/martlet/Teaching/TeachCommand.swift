import ArgumentParser

struct TeachCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "teach",
    abstract: "Teaches a small model to reason: chain-of-thought distillation and prompt erasure.",
    subcommands: [TeachPolicy.self, TeachArithmetic.self])
}
