import ArgumentParser
import MartletModels

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Writes a model in another file format, or rounds its weights.",
    discussion: """
      The ending of the output names its format: .gguf, .safetensors or .pth; a folder gets model.safetensors. Beside \
      .safetensors and .pth lie config.json, the tokenizer's files and generation_config.json, as the hub has them.

      Example: martlet convert RWKV-5-World-0.4B.pth rwkv.gguf --format q4_0
      """)
  @Argument(help: "Path or name of the model.") var model: String
  @OptionGroup var options: ConversionOptions

  func run() throws {
    try options.checkOutput()
    let conversion = try Conversion(ModelLibrary().open(model), to: options.container, format: options.format)
    try options.checkOutput(conversion)
    try options.write(conversion)
  }
}
