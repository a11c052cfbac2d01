import ArgumentParser

struct SenseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sense",
    abstract: "Recovers images from few measurements: classic solvers, learned decoders, CSGM; trains CS-GAN.",
    subcommands: [
      SenseMeasure.self, SenseReconstruct.self, SenseTrain.self, SenseTest.self, SenseBench.self,
      SenseAdvise.self, SenseGAN.self, SenseVerify.self,
    ])
}
