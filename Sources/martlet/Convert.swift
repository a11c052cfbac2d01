import ArgumentParser
import MartletModels

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Writes a model in another file format, or rounds its weights.",
    discussion: """
      The extension of the output selects its format: .gguf, .safetensors or .pth; into a folder, model.safetensors is \
      written. Next to .safetensors and .pth, config.json, generation_config.json and the tokenizer's files are written.

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
