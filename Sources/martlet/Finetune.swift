import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor
import MartletTraining

struct Finetune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Trains a ready-made model further: low-rank adapters, or all of it.",
    discussion: """
      By default adapters (LoRA) are trained through frozen weights in the model's own format, 4-bit ones too. The \
      result is OUT/adapter_model.safetensors with PEFT's names; use it with --adapter, or bake it in with `martlet \
      merge`. With --full every weight is trained, and OUT/model.safetensors is a model of its own.

      Data: JSON lines with "text", "messages", or "prompt" and "completion"; of conversations and prompts only the \
      answers count. Ctrl-C saves; --resume goes on.

      Example: martlet finetune SmolLM2-135M-Instruct.Q4_1 --data answers.jsonl --out tuned --rank 8
      """)

  @Argument(help: "Path or name of the model.") var model: String
  @Option(help: "Round the frozen weights to this format while loading (f32, f16, bf16, q8_0, q4_0, q4_1).")
  var format: WeightFormat?
  @Option(help: "Tokenizer (default: the model's own).") var tokenizer: String?
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Flag(help: "Train every weight instead of adapters.") var full = false
  @Option(help: "Rank of the adapters.") var rank = 8
  @Option(help: "The adapters' strength is alpha / rank.") var alpha = 16.0
  @Option(help: "Dropout in front of the adapters.") var dropout = 0.0
  @Option(help: "Layers with adapters, e.g. q_proj,v_proj or key,value (default: every linear layer but the head).")
  var targets: String?
  @OptionGroup var options: TrainingOptions

  func validate() throws {
    if rank < 1 || rank > 4096 { throw ValidationError("--rank must be from 1 to 4096") }
    if !(0..<1).contains(dropout) { throw ValidationError("--dropout must be from 0 to below 1") }
    if full, format != nil { throw ValidationError("--full trains in f32; --format is for frozen weights") }
  }

  func run() throws {
    try options.checkFolder()
    if let threads = options.threads { Parallel.width = threads }
    let checkpoint = try ModelLibrary().open(model)
    let path = checkpoint.path
    let progress = Progress("loading")
    var loading = LoadedModel.Options(format: format, tokenizer: tokenizer, chatFormat: chatFormat)
    loading.progress = { done, total in progress.update(done, of: total) }
    var loaded = try ModelLoading.loadTrainable(checkpoint, options: loading, frozen: !full)
    progress.finish()
    let parts = try LoadedModel(model: loaded, checkpoint: checkpoint, options: loading)
    if let warning = parts.chatFormat.warning { Terminal.note("Warning: \(warning)") }
    let (training, validation) = try options.load(options.reading(parts.tokenizer, parts.chatFormat))
    var settings = options.settings(defaultRate: full ? 2e-5 : 2e-4, examples: training)
    if options.showBatch {
      var sampler = BatchSampler(training, seed: settings.seed)
      return try options.show(
        sampler.next(rows: settings.batch * settings.context),
        tokenizer: parts.tokenizer)
    }
    if !full {
      let adapters = AdapterSettings(
        rank: rank, alpha: alpha, dropout: dropout,
        targets: targets?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? [])
      settings.adapters = adapters
      try adapters.attach(to: &loaded, random: RandomSource(seed: settings.seed).stream("adapters"))
    } else if let llama = loaded as? Llama {
      if llama.configuration.hasUnnamedScaling {
        throw ModelError(
          "\(path): its rotary scaling cannot be written outside GGUF; leave --full out, or train the hub's files")
      }
      if checkpoint.format == .gguf, !options.json {
        Terminal.note("Note: the tokenizer stays in the GGUF file; use the result with --tokenizer \(path)")
      }
    } else {
      settings.logitPenalty = 1e-4
    }
    let trainer = try Trainer(loaded, settings: settings, training: training, validation: validation)
    if !options.json {
      let count = trainer.trainedParameters.reduce(0) { $0 + $1.value.count }
      Terminal.note(
        "\(loaded.description.architecture): \(count) of \(loaded.description.parameterCount) parameters; "
          + "\(training.examples.count) examples to train on, \(validation.examples.count) to validate; "
          + "\(settings.steps) steps")
    }
    try options.run(
      trainer, training: training,
      description: [
        "command": "finetune", "data": options.data, "settings": try TrainingOptions.object(settings), "model": path,
        "format": format?.rawValue ?? "native",
      ]
    ) { model, folder in
      let result: String
      if let adapters = settings.adapters {
        try AdapterFile.write(model, settings: adapters, base: path, to: folder)
        result = folder + "/adapter_model.safetensors"
      } else {
        result = folder + "/model.safetensors"
        try ModelExport.write(model, to: result)
        try copyTokenizer(beside: path, to: folder)
      }
      if !options.json, folder == options.out { print(result) }
    }
  }

  /// A hub model's tokenizer belongs beside the result too.
  private func copyTokenizer(beside path: String, to target: String) throws {
    var isFolder: ObjCBool = false
    let files = FileManager.default
    _ = files.fileExists(atPath: path, isDirectory: &isFolder)
    let folder = isFolder.boolValue ? path : (path as NSString).deletingLastPathComponent
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"] {
      let source = (folder as NSString).appendingPathComponent(name), target = target + "/" + name
      guard files.fileExists(atPath: source) else { continue }
      try AtomicFile.copy(source, to: target)
    }
  }
}
