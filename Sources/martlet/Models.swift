import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTensor

struct Models: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "Lists, fetches and describes models.",
    discussion: "Example: martlet models pull HuggingFaceTB/SmolLM2-135M-Instruct",
    subcommands: [List.self, Pull.self, Inspect.self, ModelCopy.self, ModelRemoval.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "Lists the models under MARTLET_HOME.", discussion: "Example: martlet models list --json",
      aliases: ["ls"])
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      let library = ModelLibrary()
      let entries = library.list()
      if json {
        return try Terminal.printJSON([
          "models": entries.map { ["name": $0.name, "path": $0.path, "bytes": $0.byteCount] as [String: Any] }
        ])
      }
      if entries.isEmpty {
        print(
          "no models in \(library.folder) (the small `box` is part of Martlet); fetch one with `martlet models pull OWNER/NAME`"
        )
      }
      let width = entries.map(\.name.printable.count).max() ?? 0
      for entry in entries {
        print(
          "\(entry.name.printable.padding(toLength: width, withPad: " ", startingAt: 0))  \(SystemMemory.text(entry.byteCount))"
        )
      }
    }
  }

  struct Pull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "pull",
      abstract: "Fetches a model from the Hugging Face hub.",
      discussion: """
        An interrupted transfer resumes when the command is run again. HF_ENDPOINT names a mirror, HF_TOKEN \
        an access token.

        Example: martlet models pull bartowski/SmolLM2-135M-Instruct-GGUF --file Q4_0
        """)
    @Argument(help: "owner/name on the hub.") var repository: String
    @Option(help: "Part of the name of the file to fetch, if a repository contains several models.") var file: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let hub = try HubDownload(repository: repository)
      let folder = ModelLibrary().folder + "/" + repository
      let files = try await hub.files(matching: file)
      for file in files {
        let progress = Progress(file.name.printable)
        try await hub.fetch(file, into: folder) { done, total in progress.update(done, of: total) }
        progress.finish()
        if !json { print("\(file.name.printable)  \(file.size.map(SystemMemory.text) ?? "")") }
      }
      if json { try Terminal.printJSON(["path": folder, "files": files.map(\.name)]) }
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect",
      abstract: "Shows the contents of a model file and the memory that it needs.",
      discussion: "Example: martlet models inspect model.gguf --tensors",
      aliases: ["show"])
    @Argument(help: "Path or name of the model.") var model: String
    @Flag(help: "List every tensor.") var tensors = false
    @Flag(help: "Print one JSON object.") var json = false

    /// Of the weights, and with what one conversation adds.
    private func memory(_ summary: ModelSummary) -> String {
      let weights = SystemMemory.text(summary.memoryBytes)
      let (both, overflows) = summary.memoryBytes.addingReportingOverflow(summary.cacheBytes)
      guard summary.problem == nil, !overflows else { return weights }
      guard let context = summary.context else {
        return "\(weights), and \(SystemMemory.text(summary.cacheBytes)) for each conversation of any length"
      }
      return "\(weights), \(SystemMemory.text(both)) with the cache of a conversation of \(context) tokens"
    }

    func run() throws {
      let checkpoint = try ModelLibrary().open(model)
      let summary = ModelSummary(checkpoint)
      if json {
        var object: [String: Any] = [
          "path": checkpoint.path, "format": checkpoint.format.rawValue, "architecture": summary.architecture,
          "parameters": checkpoint.parameterCount, "bytes": checkpoint.byteCount,
          "memory_bytes": summary.memoryBytes, "cache_bytes": summary.cacheBytes,
          "quantization": summary.quantization, "tokenizer": summary.tokenizer, "tensor_count": checkpoint.names.count,
          "types": summary.types.mapValues { $0 },
        ]
        if let format = summary.chatFormat {
          object["chat_format"] = format.name
          object["has_chat_template"] = ![.noTemplate, .usual].contains(format.source)
          object["chat_template_understood"] = format.source == .template
        }
        for (key, value) in summary.facts { object[String(key.map { $0.isLetter ? $0 : "_" })] = value }
        if !summary.remarks.isEmpty { object["notes"] = summary.remarks }
        if tensors {
          object["tensors"] = checkpoint.names.compactMap { checkpoint[$0] }.map {
            ["name": $0.name, "type": "\($0.type)", "shape": $0.shape] as [String: Any]
          }
        }
        if let problem = summary.problem { object["problem"] = problem.description }
        try Terminal.printJSON(object)
        if let problem = summary.problem { throw problem }
        return
      }
      func line(_ label: String, _ value: String) {
        print(label.padding(toLength: 18, withPad: " ", startingAt: 0) + value.printable)
      }
      line("file", checkpoint.path)
      line("format", checkpoint.format.rawValue)
      line("architecture", summary.architecture)
      for (key, value) in summary.facts { line(key, "\(value)") }
      line(
        "parameters",
        String(format: "%.1f million in %d tensors", Double(checkpoint.parameterCount) / 1e6, checkpoint.names.count))
      line("weights", SystemMemory.text(checkpoint.byteCount))
      line(
        "types", summary.types.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
      line("quantization", summary.quantization)
      line("tokenizer", summary.tokenizer)
      line("memory needed", memory(summary))
      for remark in summary.remarks { line("note", remark) }
      line("chat format", summary.chatFormat?.summary ?? "no prompt template in its files")
      if tensors {
        print()
        for tensor in checkpoint.names.compactMap({ checkpoint[$0] }) {
          print("\(tensor.name.printable)  \(tensor.type)  \(tensor.shape.map(String.init).joined(separator: " x "))")
        }
      }
      if let problem = summary.problem { throw problem }
    }
  }
}
