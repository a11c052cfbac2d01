import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTensor
import MartletTraining

struct Finetune: TrainingCommand {
  /// What is trained.
  enum Method: String, ExpressibleByArgument, CaseIterable { case lora, full, state }

  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Fine-tunes a model: low-rank adapters (LoRA), all weights, or the start state of an RWKV model.",
    discussion: """
      --method lora (the default) trains adapters over frozen weights in the model's own format, also in 4 bits. The \
      result is OUT/adapter_model.safetensors in PEFT's format; use it with --adapter, or merge it with `martlet \
      merge`. --method full (or --full) trains every weight and writes a complete model, OUT/model.safetensors. \
      --method state trains the initial state of an RWKV model and writes OUT/state.pth (the format of RWKV-LM) and \
      OUT/state.st (the format of ai00), for --state of `martlet generate` and `martlet serve`.

      Data: JSON lines with "text", "messages", or "prompt" and "completion", also in the formats of Alpaca and \
      ShareGPT, as a JSON list, a table or compressed. In conversations and prompts, only the answers count in the \
      loss. Conversations are written with the prompt template of the model, as in `martlet chat`; a prompt given as \
      text and its completion are joined unchanged. Ctrl-C and SIGTERM save a checkpoint; `martlet finetune --resume \
      OUT` resumes.

      Example: martlet finetune SmolLM2-135M-Instruct.Q4_1 --data answers.jsonl --out tuned --rank 8
      """)

  @Argument(help: "Path or name of the model (default with --resume DIR: the model of the run).") var model: String?
  @Option(help: "What is trained: lora, full or state (default: lora).") var method: Method?
  @Option(
    help: "Round the frozen weights to this format while loading (f32, f16, bf16, q8_0, q6_k, q5_k, q4_k, q4_1, q4_0).")
  var format: WeightFormat?
  @Option(help: "Tokenizer (default: the model's own).") var tokenizer: String?
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Flag(help: "The same as --method full.") var full = false
  @Option(help: "With --method state: start from the states in this file instead of the model's own.") var state:
    String?
  @Option(
    help: "Folder of an adapter (in PEFT's format) to train further; its ranks and scales are kept.")
  var adapter: String?
  @Option(help: "Rank of the adapters.") var rank = 8
  @Option(help: "Alpha of the adapters; their scale is alpha / rank.") var alpha = 16.0
  @Option(help: "Dropout probability at the input of the adapters.") var dropout = 0.0
  @Option(help: "Layers with adapters, e.g. q_proj,v_proj or key,value (default: every linear layer but the head).")
  var targets: String?
  @OptionGroup var options: TrainingOptions

  func validate() throws {
    if rank < 1 || rank > 4096 { throw ValidationError("--rank must be from 1 to 4096") }
    if !(0..<1).contains(dropout) { throw ValidationError("--dropout must be from 0 to below 1") }
    if full, let method, method != .full {
      throw ValidationError("--full and --method \(method.rawValue) cannot be given together")
    }
    if isFull, format != nil {
      throw ValidationError("--method full trains in f32; --format applies to frozen weights only")
    }
    if targets != nil, isFull || method == .state {
      throw ValidationError("--targets names layers that get an adapter; it needs --method lora")
    }
    if adapter != nil, isFull || method == .state || targets != nil {
      throw ValidationError("--adapter needs --method lora and excludes --targets: the adapter names its layers")
    }
    if state != nil, method != .state { throw ValidationError("--state needs --method state") }
    if model == nil, options.resume?.isEmpty ?? true, !options.goesOnAsBegun {
      throw ValidationError("Missing expected argument '<model>'")
    }
  }

  var results: [String] {
    if method == .state { return ["state.pth", "state.st"] }
    guard isFull else { return ["adapter_model.safetensors", "adapter_config.json"] }
    return [
      "model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "chat_template.jinja",
    ]
  }

  private var isFull: Bool { full || method == .full }

  func run() throws {
    let (command, record) = try TrainingRecord.resolve(self)
    DeviceVariable.remarkOfTraining()
    try command.train(record)
  }

  private func train(_ record: TrainingRecord?) throws {
    if let threads = options.threads { Parallel.width = threads }
    let checkpoint = try ModelLibrary().open(model ?? "")
    let path = checkpoint.path
    let progress = Progress("loading")
    var loading = LoadedModel.Options(format: format, tokenizer: tokenizer, chatFormat: chatFormat)
    loading.progress = { done, total in progress.update(done, of: total) }
    var loaded = try ModelLoading.loadTrainable(checkpoint, options: loading, frozen: !isFull)
    progress.finish()
    let parts = try LoadedModel(model: loaded, checkpoint: checkpoint, options: loading)
    if let warning = parts.chatFormat.warning { Terminal.note("Warning: \(warning)") }
    let (training, validation) = try options.load(options.reading(parts.tokenizer, parts.chatFormat))
    try record?.check(
      training: training, validation: validation, accepts: options.acceptChangedData, path: options.data ?? "")
    var (plan, settings) = options.settings(
      defaultRate: isFull ? 2e-5 : method == .state ? Self.stateRate : 2e-4, training: training, record: record)
    if options.showBatch { return try options.show(training, settings, tokenizer: parts.tokenizer) }
    try prepare(&loaded, &settings, checkpoint)
    // The record tells the model with the adapter that is trained further.
    try record?.check(model: loaded, path: path)
    let trainer = try Trainer(loaded, settings: settings, training: training, validation: validation)
    let description = try TrainingRecord.object(
      self, after: record, settings: settings, training: training, validation: validation,
      model: loaded.description.fingerprint)
    try options.run(
      trainer, plan: plan, training: training, validation: validation, record: record, description: description,
      thing: isFull ? nil : method == .state ? "the state" : "the adapter"
    ) { model, folder in
      let result: String
      if let adapters = settings.adapters {
        try AdapterFile.write(model, settings: adapters, base: Self.base(path), to: folder)
        result = folder + "/adapter_model.safetensors"
      } else if settings.tunesStartStates {
        try StartStateFile.write(model, to: folder)
        result = folder + "/state.pth"
      } else {
        result = folder + "/model.safetensors"
        try ModelExport.write(model, to: result)
        if checkpoint.format == .gguf {
          // That it cannot be written is said before the training.
          for file in (try? HubFiles.tokenizerFiles(of: checkpoint)) ?? [] {
            try AtomicFile.write(file.contents, to: folder + "/" + file.name)
          }
        } else {
          try copyTokenizer(beside: path, to: folder)
        }
      }
      if !options.json, folder == options.folder { print(result) }
    }
  }

  /// Learning rate of start states, whose numbers are far larger than weights: RWKV-LM's recipes go up to 1.
  private static let stateRate = 0.1

  /// Makes of the model what is trained.
  private func prepare(
    _ loaded: inout any TrainableModel, _ settings: inout TrainingSettings, _ checkpoint: Checkpoint
  ) throws {
    if method == .state {
      guard var tuned = loaded as? any StartStateModel else {
        throw ModelError(
          "\(checkpoint.path): --method state trains the initial state of an RWKV model, but this is \(loaded.description.architecture); use --method lora"
        )
      }
      try tuned.addStartStates(from: state.map { try Checkpoint.open($0) })
      loaded = tuned
      settings.tunesStartStates = true
    } else if let adapter {
      let found = try AdapterFile.load(adapter, into: &loaded)
      for note in found.notes { Terminal.note("\(adapter): \(note)".printable) }
      settings.adapters = try AdapterSettings(continuing: found, in: &loaded, dropout: dropout, path: adapter)
    } else if !isFull {
      let adapters = AdapterSettings(
        rank: rank, alpha: alpha, dropout: dropout,
        targets: targets?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? [])
      settings.adapters = adapters
      try adapters.attach(to: &loaded, random: RandomSource(seed: settings.seed).stream("adapters"))
    } else {
      if let problem = loaded.exportProblem {
        throw ModelError("\(checkpoint.path): \(problem); leave --full out, or train the original files of the hub")
      }
      if checkpoint.format == .gguf, loaded.hubConfiguration != nil, let problem = tokenizerProblem(checkpoint) {
        Terminal.note(
          "Note: the tokenizer was not copied out of the GGUF file (\(problem)); use the result with --tokenizer \(checkpoint.path)"
            .printable)
      }
      settings.logitPenalty = loaded.description.defaults.logitPenalty
    }
  }

  /// Why the tokenizer of a GGUF file cannot be written beside the result; nil where it can.
  private func tokenizerProblem(_ checkpoint: Checkpoint) -> String? {
    do {
      return try HubFiles.tokenizerFiles(of: checkpoint).isEmpty ? "which has none of its own" : nil
    } catch let error as FileError {
      return error.problem
    } catch {
      return "\(error)"
    }
  }

  /// What PEFT loads an adapter's model from: the folder of a hub's checkpoint, else the file; an absolute path, as the adapter may be
  /// used from anywhere.
  private static func base(_ path: String) -> String {
    // The built-in model is no file.
    guard FileManager.default.fileExists(atPath: path) else { return path }
    let folder = path.parentFolder
    let isHub = path.hasSuffix(".safetensors") && FileManager.default.fileExists(atPath: folder + "/config.json")
    return URL(fileURLWithPath: isHub ? folder : path).standardizedFileURL.path
  }

  /// A hub model's tokenizer belongs beside the result too.
  private func copyTokenizer(beside path: String, to target: String) throws {
    var isFolder: ObjCBool = false
    let files = FileManager.default
    _ = files.fileExists(atPath: path, isDirectory: &isFolder)
    let folder = isFolder.boolValue ? path : path.parentFolder
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"] {
      let source = (folder as NSString).appendingPathComponent(name), target = target + "/" + name
      guard files.fileExists(atPath: source) else { continue }
      try AtomicFile.copy(source, to: target)
    }
  }
}
