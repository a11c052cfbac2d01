import ArgumentParser
import Foundation
import MartletData
import MartletModels
import MartletTensor

struct Logits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Writes the logits of a model, for comparison with another implementation.",
    discussion: """
      The tokens are run from a zero state. --out receives raw little-endian float32, one row of the size of the \
      vocabulary for each token. --state-out receives the state of an RWKV model: for each layer the attention shift \
      [C], S [head][key][value] and the feed-forward shift [C].

      Example: martlet logits model.pth --tokens 5,9,12 --out logits.f32 --state-out state.f32
      """)
  @OptionGroup var options: ModelOptions
  @Option(help: "Token ids, separated by commas.") var tokens: String
  @Option(help: "File for the logits.") var out: String
  @Option(help: "File for the state after the last token (RWKV).") var stateOut: String?
  @Flag(help: "Run token by token instead of in one forward pass.") var stepwise = false
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws { _ = try ids() }

  private func ids() throws -> [Int] {
    try tokens.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let id = Int(part.trimmed), id >= 0 else {
        throw ValidationError("--tokens: \"\(part)\" is not a number from 0")
      }
      return id
    }
  }

  func run() throws {
    for path in [out, stateOut].compactMap(\.self) { try OutputTarget.check(path, replaces: force) }
    let ids = try ids()
    let model = try options.loadModel()
    try model.check(tokens: ids)
    if let limit = model.description.contextLength, ids.count > limit {
      throw ModelError("\(ids.count) tokens do not fit into this model's context of \(limit) tokens")
    }
    let state = model.makeState()
    var logits: [Float] = []
    let step = stepwise ? 1 : 256
    for start in stride(from: 0, to: ids.count, by: step) {
      let chunk = Array(ids[start..<min(ids.count, start + step)])
      logits += model.forward(Batch(chunk, state: state, outputs: .all)).values
    }
    try model.checkPasses()
    try write(logits, to: out)
    if let stateOut {
      guard let numbers = state.numbers else {
        throw ModelError(
          "--state-out is for RWKV models; this one (\(model.description.architecture)) has a key/value cache instead")
      }
      try model.checkPasses()
      try write(numbers, to: stateOut)
    }
    if json {
      try Terminal.printJSON(["rows": ids.count, "columns": model.description.vocabularySize, "out": out])
    } else {
      print("\(out): \(ids.count) x \(model.description.vocabularySize) float32")
    }
  }

  private func write(_ values: [Float], to path: String) throws {
    let file = try AtomicFile(path: path, replaces: force)
    try values.withUnsafeBytes { try file.write($0) }
    try file.commit()
  }
}
