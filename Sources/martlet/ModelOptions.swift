import ArgumentParser
import Foundation
import MartletData
import MartletDevice
import MartletEngine
import MartletModels
import MartletTensor

extension WeightFormat: ExpressibleByArgument {}
extension ChatFormat.Kind: ExpressibleByArgument {
  static var help: ArgumentHelp {
    "Prompt template: \(allCases.map(\.rawValue).joined(separator: ", ")) (default: the model's own template)."
  }
}

/// Options of every command that loads a model.
struct ModelOptions: ParsableArguments {
  @Argument(help: "Path or name of the model; `box` is the built-in model.")
  var model: String
  @Option(
    name: [.customShort("m"), .customLong("model")],
    help: "The model, given as an option.")
  var namedModel: String?
  @OptionGroup var loading: LoadingOptions

  /// ``ArgumentHabits`` makes `--model` the first argument; what is left of it is one too many.
  func validate() throws {
    if namedModel != nil { throw ValidationError("--model is given twice") }
  }

  /// The model with its tokenizer and chat format.
  func load(chatFormat: ChatFormat.Kind? = nil, warns: Bool = true) throws -> LoadedModel {
    try loading.load(model, chatFormat: chatFormat, warns: warns)
  }

  /// The model alone, for commands that work on token ids.
  func loadModel() throws -> any LanguageModel { try loading.loadModel(model) }
}

/// How a model is loaded.
struct LoadingOptions: ParsableArguments {
  @Option(help: "Round the weights to this format while loading (f32, f16, bf16, q8_0, q6_k, q5_k, q4_k, q4_1, q4_0).")
  var format: WeightFormat?

  @Option(help: "Tokenizer: rwkv-world, bytes, a tokenizer.json or a GGUF file (default: the model's own).")
  var tokenizer: String?

  @Option(
    name: [.customLong("adapter"), .customLong("lora")],
    help: "Folder of a low-rank adapter (in PEFT's format) to use with the model; may be repeated.")
  var adapters: [String] = []

  @Option(
    help: "Epsilon of RWKV-5's group norm (default: 64e-5; 1e-5 for rwkv.cpp files that are not World models).")
  var groupNormEpsilon: Float?

  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).")
  var threads: Int?

  @Option(
    help:
      "Where the model runs: cpu, auto, vulkan:0 or a part of a graphics card's name, see `martlet devices` (default: MARTLET_DEVICE, else cpu)."
  )
  var device: String?

  @Flag(
    help:
      "On a graphics card, let no answer depend on the answers that are written beside it, as on the processor none does; slower."
  )
  var exactBatch = false

  func validate() throws {
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
    if let groupNormEpsilon, !(groupNormEpsilon > 0 && groupNormEpsilon.isFinite) {
      throw ValidationError("--group-norm-epsilon must be above 0")
    }
    if let device, device.trimmed.isEmpty {
      throw ValidationError("--device is empty; give auto, cpu, vulkan:0 or a name")
    }
  }

  /// An option that was given and means nothing where no local model is loaded; nil if there is none. A tokenizer and the number of
  /// threads may mean something there.
  var optionOfLocalModels: String? {
    !adapters.isEmpty
      ? "--adapter"
      : format != nil
        ? "--format"
        : device != nil
          ? "--device" : exactBatch ? "--exact-batch" : groupNormEpsilon != nil ? "--group-norm-epsilon" : nil
  }

  /// - Parameter warns: whether to say on standard error that the model's chat template is not understood.
  func load(_ model: String, chatFormat: ChatFormat.Kind? = nil, warns: Bool = true) throws -> LoadedModel {
    let loaded = try loading(chatFormat) { try LoadedModel.load(model, options: $0) }
    if warns, let warning = loaded.chatFormat.warning { Terminal.note("Warning: \(warning)") }
    return loaded
  }

  /// The model alone, which needs no tokenizer.
  func loadModel(_ model: String) throws -> any LanguageModel {
    try loading(nil) { try ModelLoading.load(ModelLibrary().open(model), options: $0) }
  }

  /// Loads something with these options, and shows how far it is.
  private func loading<Loaded>(
    _ chatFormat: ChatFormat.Kind?, _ load: (LoadedModel.Options) throws -> Loaded
  ) throws -> Loaded {
    if let threads { Parallel.width = threads }
    let progress = Progress("loading")
    defer { progress.finish() }
    var options = LoadedModel.Options(
      format: format, tokenizer: tokenizer, chatFormat: chatFormat, groupNormEpsilon: groupNormEpsilon,
      adapters: adapters)
    options.isExact = exactBatch
    options.progress = { done, total in progress.update(done, of: total) }
    options.note = { sentence in
      progress.finish()
      Terminal.note(sentence)
    }
    let choice: DeviceChoice
    do {
      choice = try DeviceChoice(device ?? DeviceVariable.value ?? "cpu")
      options.device = try choice.open { Terminal.note($0) }
    } catch let error where device == nil && DeviceVariable.value != nil {
      throw ModelError("MARTLET_DEVICE=\(DeviceVariable.value ?? ""): \(error)")
    }
    guard choice == .automatic, let card = options.device else { return try load(options) }
    // What does not fit the card, or has no program for it, runs on the processor.
    do { return try load(options) } catch let error where error is ModelError || error is DeviceError {
      progress.finish()
      options.device = nil
      let loaded = try load(options)
      Terminal.note("The model runs on the processor and not on \(card.description.name): \(error)")
      return loaded
    }
  }
}

/// The variable `MARTLET_DEVICE`.
enum DeviceVariable {
  /// What it says; nil where it is not set.
  static var value: String? {
    ProcessInfo.processInfo.environment["MARTLET_DEVICE"].flatMap {
      $0.trimmed.isEmpty ? nil : $0
    }
  }

  /// Says of a command that trains that it does not follow the variable.
  static func remarkOfTraining() {
    guard let value, value.lowercased() != "cpu" else { return }
    Terminal.note("Training runs on the processor; MARTLET_DEVICE=\(value.printable) is not used.")
  }
}

/// How to choose tokens.
struct SamplingOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("temp")],
    help:
      "Temperature; 0 always takes the most likely token (default: 0; `martlet chat` 0.7; `martlet generate box` 0.8).")
  var temperature: Float?
  @Option(
    help: """
      Keep the most likely tokens that together reach this probability (default: 1; `martlet chat` and `martlet \
      generate box` 0.9).
      """)
  var topP: Float?
  @Option(help: "Keep this number of most likely tokens; 0 keeps all.")
  var topK: Int = 0
  @Option(help: "Keep tokens whose probability is at least this share of the highest probability.")
  var minP: Float = 0
  @Option(
    name: [.long, .customLong("typical")], help: "Probability mass of locally typical sampling; 1 keeps all tokens.")
  var typicalP: Float = 1
  @Option(
    name: [.long, .customLong("repeat-penalty")], help: "Penalty by which the logits of seen tokens are divided.")
  var repetitionPenalty: Float = 1
  @Option(help: "Value subtracted from the logits of seen tokens.")
  var presencePenalty: Float = 0
  @Option(help: "Value subtracted from the logit of a token for each time it was seen.")
  var frequencyPenalty: Float = 0
  @Option(help: "Factor by which the counts of seen tokens decay at each step (RWKV's demos: 0.996).")
  var penaltyDecay: Float = 1
  @Option(help: "Value added to the logit of a token, as ID=VALUE; may be repeated.")
  var logitBias: [String] = []
  @Option(
    name: .shortAndLong, help: "Random seed; the same seed gives the same text, -1 takes a new one in each run.",
    transform: Seed.parse)
  var seed: Seed?

  func validate() throws {
    do {
      try sampling().validate()
    } catch let error as EngineError {
      throw ValidationError(error.description)
    }
    for entry in logitBias where Self.bias(entry) == nil {
      throw ValidationError("--logit-bias \(entry) is not ID=VALUE")
    }
  }

  /// The token and what is added to its logit; `ID+VALUE` and `ID-VALUE` are other programs' ways to write it.
  private static func bias(_ entry: String) -> (token: Int, value: Float)? {
    guard let end = entry.firstIndex(where: { "=+-".contains($0) }), let token = Int(entry[..<end]),
      let value = Float(entry[(entry[end] == "=" ? entry.index(after: end) : end)...]), value.isFinite
    else { return nil }
    return (token, value)
  }

  private func sampling() -> Sampling {
    var sampling = Sampling()
    sampling.temperature = temperature ?? 0
    sampling.topP = topP ?? 1
    sampling.topK = topK
    sampling.minP = minP
    sampling.typicalP = typicalP
    sampling.repetitionPenalty = repetitionPenalty
    sampling.presencePenalty = presencePenalty
    sampling.frequencyPenalty = frequencyPenalty
    sampling.penaltyDecay = penaltyDecay
    return sampling
  }

  func sampling(
    for loaded: LoadedModel? = nil, defaultTemperature: Float = 0, defaultTopP: Float = 1
  ) throws -> Sampling {
    var sampling = sampling()
    sampling.temperature = temperature ?? defaultTemperature
    sampling.topP = topP ?? defaultTopP
    sampling.truncatesFirst = loaded?.model.description.defaults.truncatesBeforeTemperature ?? false
    sampling.seed = (seed ?? Seed()).number
    for entry in logitBias {
      guard let (token, value) = Self.bias(entry) else { continue }
      if let size = loaded?.model.description.vocabularySize, !(0..<size).contains(token) {
        throw ValidationError("--logit-bias \(entry) names token \(token); ids run from 0 to \(size - 1)")
      }
      sampling.logitBias[token] = value
    }
    return sampling
  }
}
