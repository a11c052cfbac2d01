import ArgumentParser

struct TeachCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "teach",
    abstract: "Teaches a small model to reason: chain-of-thought distillation and prompt erasure.",
    subcommands: [
      TeachAnswer.self, TeachPolicy.self, TeachArithmetic.self,
    ])
}
