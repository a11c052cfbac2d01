import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor
import MartletTraining

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bakes a low-rank adapter into its model.",
    discussion: """
      The ending of the output names its format: .gguf, .safetensors or .pth.

      Example: martlet merge SmolLM2-135M-Instruct.Q4_1 tuned tuned.gguf --format q8_0
      """)

  @Argument(help: "Path or name of the model that the adapter was trained on.") var model: String
  @Argument(help: "Folder of the adapter (adapter_config.json, adapter_model.safetensors).") var adapter: String
  @Argument(help: "File to write (.gguf, .safetensors or .pth).") var output: String
  @Option(help: "Format of all matrices; default: as they are, which rounds the merged weights to it.")
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
    var loaded = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    try AdapterFile.load(adapter, into: &loaded)
    var conversion = try Conversion(checkpoint, to: container, format: format)
    try conversion.add(AdapterFile.deltas(loaded))
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
