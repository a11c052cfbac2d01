import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a model in another file format, or rounds its weights.",
    discussion: """
      The ending of the output names its format: .gguf, .safetensors or .pth.

      Example: martlet convert RWKV-5-World-0.4B.pth rwkv.gguf --format q4_0
      """)
  @Argument(help: "Path or name of the model.") var model: String
  @Argument(help: "File to write (.gguf, .safetensors or .pth).") var output: String
  @Option(help: "Format of all matrices (f32, f16, bf16; in GGUF also q8_0, q4_0, q4_1); default: as they are.")
  var format: WeightFormat?
  @Flag(help: "Write over an existing file.") var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if container == nil { throw ValidationError("the output must end in .gguf, .safetensors or .pth") }
  }

  private var container: Conversion.Container? {
    Conversion.Container.allCases.first { output.hasSuffix(".\($0.rawValue)") }
  }

  func run() throws {
    guard let container else { return }
    if !force, FileManager.default.fileExists(atPath: output) {
      throw ModelError("\(output) is there already; choose another name, or add --force")
    }
    let checkpoint = try ModelLibrary().open(model)
    let conversion = try Conversion(checkpoint, to: container, format: format)
    let progress = Progress("writing")
    try conversion.write(to: output) { progress.update($0, of: conversion.byteCount) }
    progress.finish()
    if json {
      try Terminal.printJSON(["path": output, "bytes": conversion.byteCount])
    } else {
      print("\(output)  \(SystemMemory.text(conversion.byteCount))")
    }
  }
}
