import ArgumentParser

struct SenseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sense",
    abstract: "Recovers images from few measurements: regression, deep compressed sensing, unrolled shrinkage, CSGM and CS-GAN.",
    subcommands: [SenseTrain.self, SenseReconstruct.self, SenseGAN.self, SenseVerify.self])
}
