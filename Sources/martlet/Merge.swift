import ArgumentParser
import MartletModels
import MartletTraining

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Bakes a low-rank adapter into its model.",
    discussion: """
      The ending of the output names its format: .gguf, .safetensors or .pth.

      Example: martlet merge SmolLM2-135M-Instruct.Q4_1 tuned tuned.gguf --format q8_0
      """)

  @Argument(help: "Path or name of the model that the adapter was trained on.") var model: String
  @Argument(help: "Folder of the adapter (adapter_config.json, adapter_model.safetensors).") var adapter: String
  @OptionGroup var options: ConversionOptions

  func run() throws {
    try options.checkOutput()
    let checkpoint = try ModelLibrary().open(model)
    var loaded = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    try AdapterFile.load(adapter, into: &loaded)
    var conversion = try Conversion(checkpoint, to: options.container, format: options.format)
    try conversion.add(AdapterFile.deltas(loaded))
    try options.write(conversion)
  }
}
