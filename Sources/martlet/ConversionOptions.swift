import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor

/// Where a command that writes a model puts it, and how.
struct ConversionOptions: ParsableArguments {
  @Argument(help: "File to write (.gguf, .safetensors or .pth).") var output: String
  @Option(help: "Format of all matrices (f32, f16, bf16; in GGUF also q8_0, q4_0, q4_1); default: as they are.")
  var format: WeightFormat?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if named == nil { throw ValidationError("the output must end in .gguf, .safetensors or .pth") }
  }

  private var named: Conversion.Container? {
    Conversion.Container.allCases.first { output.hasSuffix(".\($0.rawValue)") }
  }
  var container: Conversion.Container { named ?? .gguf }

  /// - Throws: an error when something is there and `--force` is not, or nothing can be written there.
  func checkOutput() throws { try OutputTarget.check(output, replaces: force) }

  func write(_ conversion: Conversion) throws {
    let progress = Progress("writing")
    try conversion.write(to: output, replaces: force) { progress.update($0, of: conversion.byteCount) }
    progress.finish()
    if json {
      try Terminal.printJSON(["path": output, "bytes": conversion.byteCount])
    } else {
      print("\(output)  \(SystemMemory.text(conversion.byteCount))")
    }
  }
}
