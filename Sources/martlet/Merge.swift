import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTensor
import MartletTokenizers
import MartletTraining

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merges a low-rank adapter (LoRA) into its model.",
    discussion: """
      The extension of the output selects its format: .gguf, .safetensors or .pth; into a folder, model.safetensors \
      and the files that belong to it are written.

      Rounding to few bits can remove the changes of a short training. So the merged model is evaluated before it is \
      written: the layers that the adapter changes keep their format if that loses almost nothing; otherwise they get \
      the smallest format that keeps the change. With --format the format is fixed, and a warning states the loss.

      Example: martlet merge SmolLM2-135M-Instruct.Q4_1 tuned tuned.gguf
      """)

  @Argument(help: "Path or name of the model that the adapter was trained on.") var model: String
  @Argument(help: "Folder of the adapter (adapter_config.json, adapter_model.safetensors).") var adapter: String
  @OptionGroup var options: ConversionOptions

  func run() throws {
    try options.checkOutput()
    let checkpoint = try ModelLibrary().open(model)
    let base = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    var adapted = base
    let loaded = try AdapterFile.load(adapter, into: &adapted)
    for note in loaded.notes { Terminal.note("\(adapter): \(note)".printable) }
    var conversion = try Conversion(checkpoint, to: options.container, format: options.format)
    try conversion.add(loaded.changes)
    try options.checkOutput(conversion)
    if conversion.isUntied {
      Terminal.note(
        "The output head shared its matrix with the embeddings; with the adapter merged, it becomes a separate matrix.")
    }
    let trial = MergeTrial(
      base: base, adapted: adapted, changes: loaded.changes, tokens: Self.text(checkpoint, adapted))
    let outcome = try choose(&conversion, trial, Array(loaded.changes.keys))
    try options.write(
      conversion,
      facts: ["divergence": outcome.divergence, "divergence_of_base": outcome.whole, "lost_share": outcome.lostShare])
  }

  /// Leaves the format that was asked for, and chooses one where none was.
  private func choose(
    _ conversion: inout Conversion, _ trial: MergeTrial, _ changed: [String]
  ) throws -> MergeTrial.Outcome {
    let own = { [conversion] in conversion.writtenFormat(of: $0) }
    let formats = Set(changed.filter { !$0.hasSuffix("norm.weight") }.compactMap(own)).map(\.rawValue).sorted()
    let kept = trial.outcome(format: own)
    func share(_ outcome: MergeTrial.Outcome) -> String {
      String(format: outcome.lostShare < 0.1 ? "%.2g %%" : "%.0f %%", 100 * outcome.lostShare)
    }
    let measure = String(
      format: "KL divergence %.3g of %.3g over %d tokens", kept.divergence, kept.whole, trial.tokenCount)
    if kept.lostShare <= MergeTrial.harmlessShare {
      Terminal.note(
        "In \(formats.joined(separator: ", ")) the merged model loses \(share(kept)) of what the adapter changes (\(measure))."
      )
      return kept
    }
    if let format = options.format {
      Terminal.note(
        "Warning: rounding to \(format.rawValue) loses \(share(kept)) of what the adapter changes (\(measure)); leave --format out to have a format chosen that keeps it"
      )
      return kept
    }
    let candidates: [WeightFormat] = options.container == .gguf ? [.q8_0, .f16, .f32] : [.f16, .f32]
    var best: (format: WeightFormat, outcome: MergeTrial.Outcome)?
    for format in candidates {
      let outcome = trial.outcome { [conversion] name in
        changed.contains(name)
          ? conversion.writtenFormat(of: name, choosing: format) : conversion.writtenFormat(of: name)
      }
      guard outcome.fits else { continue }
      // A larger format must be worth its size.
      if best.map({ outcome.divergence < 0.9 * $0.outcome.divergence }) ?? true { best = (format, outcome) }
      if outcome.lostShare <= MergeTrial.harmlessShare { break }
    }
    guard let best, best.outcome.divergence < 0.9 * kept.divergence else { return kept }
    conversion.setFormatOfChanges(best.format)
    Terminal.note(
      "The layers that the adapter changes are written in \(best.format.rawValue), which loses \(share(best.outcome)) of the change; in \(formats.joined(separator: ", ")) the merged model would lose \(share(kept)) (\(measure))."
    )
    return best.outcome
  }

  /// A text to try models on: in the model's own tokens, or any tokens where it has no tokenizer.
  private static func text(_ checkpoint: Checkpoint, _ model: any TrainableModel) -> [Int] {
    let text = """
      The old lighthouse keeper climbed the stairs every evening, counting each step under his breath. What would he \
      see tonight? Ships bound for the harbour passed at about nine o'clock; in 1987 there had been forty of them a \
      week, and now there were three. "You should write it all down," his daughter said, and she gave him a notebook: \
      first the weather, then the names, then whatever he liked.

      1. Rain from the west, wind 25 knots.
      2. The Marta, loaded with timber. She answered by lamp.
      3. def wait(hours): return [watch(h) for h in range(hours)]
      """
    let size = model.description.vocabularySize
    let limit = min(128, model.description.contextLength ?? 128)
    let parts = try? LoadedModel(model: model, checkpoint: checkpoint)
    let tokens = parts?.tokenizer.encode(text, special: false).filter { $0 < size } ?? []
    return tokens.count >= min(32, limit)
      ? Array(tokens.prefix(limit)) : (0..<limit).map { (7919 * $0 + 31 * $0 * $0 + 1) % size }
  }
}
