import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTensor

/// Where a command that writes a model puts it, and how.
struct ConversionOptions: ParsableArguments {
  @Argument(help: "File to write (.gguf, .safetensors or .pth), or a folder in which model.safetensors is written.")
  var output: String
  @Option(
    help:
      "Format of all matrices: f32, f16 or bf16; in GGUF also q8_0, q6_k, q5_k, q4_k, q4_1 or q4_0 (default: unchanged; f32 where the file format has no such type)."
  )
  var format: WeightFormat?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if isFolder, !output.hasSuffix("/"), Conversion.Container.allCases.contains(where: { output.hasSuffix(".\($0)") }) {
      throw ValidationError(
        "\(output) is a folder; give the name of a file in it, or \(output)/ to write model.safetensors into it")
    }
    if named == nil, !isFolder {
      throw ValidationError(
        "the output must end in .gguf, .safetensors or .pth, or be a folder (add / to the name of a new one)")
    }
  }

  private var named: Conversion.Container? {
    isFolder ? nil : Conversion.Container.allCases.first { output.hasSuffix(".\($0.rawValue)") }
  }
  private var isFolder: Bool {
    var isFolder: ObjCBool = false
    return output.hasSuffix("/")
      || FileManager.default.fileExists(atPath: output, isDirectory: &isFolder)
        && isFolder.boolValue
  }
  var container: Conversion.Container { named ?? .safetensors }

  /// The file to write.
  private var path: String { isFolder ? (output as NSString).appendingPathComponent("model.safetensors") : output }
  private var folder: String { path.parentFolder }

  /// Looks before long work whether the file may be written. Its folder is made when it is.
  /// - Throws: an error when something is there and `--force` is not, or nothing can be written there.
  func checkOutput() throws {
    guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else { return }
    try OutputTarget.check(path, replaces: force)
  }

  /// Looks at the files beside it as well: one that is there already must say the same, unless `--force` is given.
  func checkOutput(_ conversion: Conversion) throws {
    try checkOutput()
    for file in try conversion.companions(of: path) {
      guard let contents = FileManager.default.contents(atPath: file.path), contents != file.contents else { continue }
      try OutputTarget.check(file.path, replaces: force)
    }
  }

  /// - Parameter facts: what else the JSON object tells.
  func write(_ conversion: Conversion, facts: [String: Any] = [:]) throws {
    if !folder.isEmpty { try OutputTarget.makeFolder(folder) }
    let progress = Progress("writing")
    let beside = try conversion.companions(of: path).map(\.path)
    try conversion.write(to: path, replaces: force) { progress.update($0, of: conversion.byteCount) }
    progress.finish()
    let substitutes = conversion.substitutes
    if json {
      var object = facts.filter { ($0.value as? Double)?.isFinite ?? true }
      if !substitutes.isEmpty {
        object["other_formats"] = Dictionary(uniqueKeysWithValues: substitutes.map { ($0.type, $0.count) })
      }
      object.merge(["path": path, "bytes": conversion.byteCount, "files": beside]) { $1 }
      try Terminal.printJSON(object)
    } else {
      print("\(path)  \(SystemMemory.text(conversion.byteCount))")
      for (type, count) in substitutes {
        Terminal.note(
          "\(count) matrices are written as \(type): their rows do not fill blocks of \(format?.rawValue ?? "")")
      }
      if !beside.isEmpty {
        print("beside it: " + beside.map { ($0 as NSString).lastPathComponent }.sorted().joined(separator: ", "))
      }
    }
  }
}
