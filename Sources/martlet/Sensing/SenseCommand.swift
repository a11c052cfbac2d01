import ArgumentParser

struct SenseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sense",
    abstract: "Recovers images from few measurements: classic solvers, regression, deep compressed sensing and CS-GAN.",
    subcommands: [SenseMeasure.self, SenseReconstruct.self, SenseVerify.self])
}
