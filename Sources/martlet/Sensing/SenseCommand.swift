import ArgumentParser

struct SenseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sense",
    abstract: "Recovers images from few measurements: regression, deep compressed sensing, CSGM; trains CS-GAN.",
    subcommands: [SenseTrain.self, SenseTest.self, SenseGAN.self, SenseVerify.self])
}
