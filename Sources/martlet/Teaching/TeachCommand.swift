import ArgumentParser

struct TeachCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "teach",
    abstract: "Teaches a small model to reason: chain-of-thought distillation and prompt erasure.",
    subcommands: [
      TeachRun.self, TeachDemo.self, TeachRecipes.self,
      TeachStrategies.self, TeachGenerate.self, TeachCheck.self, TeachSelect.self, TeachErase.self, TeachTrain.self,
      TeachTest.self, TeachDamage.self, TeachReport.self, TeachPolicy.self,
      TeachAnswer.self, TeachArithmetic.self, TeachSymbolic.self,
    ])
}
