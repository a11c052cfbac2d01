import ArgumentParser
import MartletCheckpoints
import MartletEngine
import MartletModels
import MartletTensor
import MartletTraining

extension WeightFormat: ExpressibleByArgument {}
extension ChatFormat.Kind: ExpressibleByArgument {
  static var help: ArgumentHelp {
    "How turns are written: \(allCases.map(\.rawValue).joined(separator: ", ")) (default: the model's own template)."
  }
}

/// Options of every command that loads a model.
struct ModelOptions: ParsableArguments {
  @Argument(help: "Path or name of the model; `box` is the small one that Martlet brings.")
  var model: String
  @OptionGroup var loading: LoadingOptions

  /// The model with its tokenizer and chat format.
  func load(chatFormat: ChatFormat.Kind? = nil, warns: Bool = true) throws -> LoadedModel {
    try loading.load(model, chatFormat: chatFormat, warns: warns)
  }

  /// The model alone, for commands that work on token ids.
  func loadModel() throws -> any LanguageModel { try loading.loadModel(model) }
}

/// How a model is loaded.
struct LoadingOptions: ParsableArguments {
  @Option(help: "Round the weights to this format while loading (f32, f16, bf16, q8_0, q4_0, q4_1).")
  var format: WeightFormat?

  @Option(help: "Tokenizer: rwkv-world, bytes, a tokenizer.json or a GGUF file (default: the model's own).")
  var tokenizer: String?

  @Option(help: "Folder of a low-rank adapter (PEFT's layout) to use with the model.")
  var adapter: String?

  @Option(
    help: "Epsilon of RWKV-5's group norm (default: 64e-5; 1e-5 for rwkv.cpp files that are not World models).")
  var groupNormEpsilon: Float?

  @Option(help: "Threads (default: all processors).")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
  }

  /// - Parameter warns: whether to say on standard error that the model's chat template is not understood.
  func load(_ model: String, chatFormat: ChatFormat.Kind? = nil, warns: Bool = true) throws -> LoadedModel {
    let progress = Progress("loading")
    defer { progress.finish() }
    let options = options(chatFormat, progress)
    let checkpoint = try open(model)
    let loaded = try LoadedModel(model: load(checkpoint, options, progress), checkpoint: checkpoint, options: options)
    if warns, let warning = loaded.chatFormat.warning { Terminal.note("Warning: \(warning)") }
    return loaded
  }

  func loadModel(_ model: String) throws -> any LanguageModel {
    let progress = Progress("loading")
    defer { progress.finish() }
    return try load(open(model), options(nil, progress), progress)
  }

  private func open(_ model: String) throws -> Checkpoint {
    if let threads { Parallel.width = threads }
    return try ModelLibrary().open(model)
  }

  private func load(
    _ checkpoint: Checkpoint, _ options: LoadedModel.Options, _ progress: Progress
  ) throws -> any LanguageModel {
    var model = try ModelLoading.loadTrainable(checkpoint, options: options, frozen: true)
    if let adapter { try AdapterFile.load(adapter, into: &model) }
    progress.finish()
    for remark in model.description.remarks { Terminal.note("\(checkpoint.path): \(remark)") }
    return model
  }

  private func options(_ chatFormat: ChatFormat.Kind?, _ progress: Progress) -> LoadedModel.Options {
    var options = LoadedModel.Options(
      format: format, tokenizer: tokenizer, chatFormat: chatFormat, groupNormEpsilon: groupNormEpsilon)
    options.progress = { done, total in progress.update(done, of: total) }
    return options
  }
}

/// How to choose tokens.
struct SamplingOptions: ParsableArguments {
  @Option(help: "0 always takes the most likely token.")
  var temperature: Float?
  @Option(help: "Keep the likeliest tokens that together reach this probability.")
  var topP: Float?
  @Option(help: "Keep this many tokens; 0 keeps all.")
  var topK: Int = 0
  @Option(help: "Keep tokens at least this share of the likeliest one's probability.")
  var minP: Float = 0
  @Option(help: "Locally typical sampling; 1 keeps all.")
  var typicalP: Float = 1
  @Option(help: "Divide the logits of seen tokens by this.")
  var repetitionPenalty: Float = 1
  @Option(help: "Take this off the logits of seen tokens.")
  var presencePenalty: Float = 0
  @Option(help: "Take this off for each time a token was seen.")
  var frequencyPenalty: Float = 0
  @Option(help: "Seen counts shrink by this factor each step (RWKV's demos: 0.996).")
  var penaltyDecay: Float = 1
  @Option(help: "Add to a token's logit, as ID=VALUE; may be repeated.")
  var logitBias: [String] = []
  @Option(help: "Same seed, same text.")
  var seed: UInt64?

  func sampling(
    for loaded: LoadedModel? = nil, defaultTemperature: Float = 0, defaultTopP: Float = 1
  ) throws -> Sampling {
    var sampling = Sampling()
    sampling.temperature = temperature ?? defaultTemperature
    sampling.topP = topP ?? defaultTopP
    sampling.topK = topK
    sampling.minP = minP
    sampling.typicalP = typicalP
    sampling.repetitionPenalty = repetitionPenalty
    sampling.presencePenalty = presencePenalty
    sampling.frequencyPenalty = frequencyPenalty
    sampling.penaltyDecay = penaltyDecay
    sampling.truncatesFirst = loaded?.model.description.architecture.hasPrefix("RWKV") ?? false
    sampling.seed = seed ?? UInt64.random(in: 0...UInt64.max)
    for entry in logitBias {
      let parts = entry.split(separator: "=")
      guard parts.count == 2, let token = Int(parts[0]), let value = Float(parts[1]) else {
        throw ValidationError("--logit-bias \(entry) is not ID=VALUE")
      }
      if let size = loaded?.model.description.vocabularySize, !(0..<size).contains(token) {
        throw ValidationError("--logit-bias \(entry) names token \(token); ids run from 0 to \(size - 1)")
      }
      sampling.logitBias[token] = value
    }
    try sampling.validate()
    return sampling
  }
}
