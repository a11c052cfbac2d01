import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTokenizers

/// A model with the tokenizer and chat format that belong to it.
public struct LoadedModel: Sendable {
  public let model: any LanguageModel
  public let tokenizer: any Tokenizer
  public let chatFormat: ChatFormat

  /// What may be chosen when a model is loaded; nil leaves it to the file.
  public struct Options: Sendable {
    /// Weights are rounded to this format.
    public var format: WeightFormat?
    public var tokenizer: String?
    public var chatFormat: ChatFormat.Kind?
    public var groupNormEpsilon: Float?
    /// Hears the bytes of weights loaded so far, and their total.
    public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?

    public init(
      format: WeightFormat? = nil, tokenizer: String? = nil, chatFormat: ChatFormat.Kind? = nil,
      groupNormEpsilon: Float? = nil
    ) {
      self.format = format
      self.tokenizer = tokenizer
      self.chatFormat = chatFormat
      self.groupNormEpsilon = groupNormEpsilon
    }
  }

  public init(model: any LanguageModel, tokenizer: any Tokenizer, chatFormat: ChatFormat) {
    self.model = model
    self.tokenizer = tokenizer
    self.chatFormat = chatFormat
  }

  public init(path: String, options: Options = Options()) throws {
    let checkpoint = try Checkpoint.open(path)
    try self.init(
      model: ModelLoading.load(checkpoint, options: options), checkpoint: checkpoint, options: options)
  }

  /// A model that is loaded already, with the tokenizer and chat format of its checkpoint.
  public init(model: any LanguageModel, checkpoint: Checkpoint, options: Options = Options()) throws {
    self.model = model
    let path = checkpoint.path
    let size = model.description.vocabularySize
    tokenizer =
      try options.tokenizer.map(TokenizerLoading.open)
      ?? TokenizerLoading.forModel(checkpoint, vocabularySize: size)
    guard tokenizer.vocabularySize <= size || tokenizer is WorldTokenizer else {
      throw CheckpointError(
        file: path,
        "its \(size) tokens are fewer than the tokenizer's \(tokenizer.vocabularySize); they do not belong together")
    }
    chatFormat = ChatFormat.detect(checkpoint, tokenizer: tokenizer, kind: options.chatFormat)
  }
}

public enum ModelLoading {
  /// Loads the model that a checkpoint holds, whatever its architecture.
  public static func load(_ checkpoint: Checkpoint, options: LoadedModel.Options = .init()) throws -> any LanguageModel
  {
    try loadTrainable(checkpoint, options: options, frozen: true)
  }

  /// Loads a model to be trained: with `frozen`, in packed formats that only let gradients through to adapters, else
  /// as plain float tensors.
  public static func loadTrainable(
    _ checkpoint: Checkpoint, options: LoadedModel.Options = .init(), frozen: Bool
  ) throws -> any TrainableModel {
    try load(checkpoint, options: options, for: frozen ? .inference : .training)
  }

  static func load(
    _ checkpoint: Checkpoint, options: LoadedModel.Options, for purpose: WeightLoader.Purpose
  ) throws -> any TrainableModel {
    let progress = options.progress.map { LoadProgress(total: checkpoint.byteCount, report: $0) }
    switch try family(of: checkpoint) {
    case .rwkv5(let names):
      return try RWKV5(
        WeightLoader(checkpoint, names: names, format: options.format, for: purpose, progress: progress),
        groupNormEpsilon: options.groupNormEpsilon)
    case .llama:
      return try Llama(WeightLoader(checkpoint, format: options.format, for: purpose, progress: progress))
    }
  }

  enum Family {
    /// With the names of tensors in the file by BlinkDL's names.
    case rwkv5(names: [String: String])
    case llama
  }

  /// Which of the architectures that are run a checkpoint's names are those of.
  /// - Throws: ``CheckpointError`` saying what it is instead.
  static func family(of checkpoint: Checkpoint) throws -> Family {
    if let names = try RWKV5Names.canonical(checkpoint) { return .rwkv5(names: names) }
    if checkpoint.format == .gguf || checkpoint["model.embed_tokens.weight"] != nil { return .llama }
    if let refusal = RWKV5Names.refusal(checkpoint) { throw refusal }
    let file = checkpoint.path.split(separator: "/").last ?? ""
    if checkpoint.names.contains(where: { $0.contains(".lora_") }) || file.hasPrefix("adapter_model.") {
      throw CheckpointError.adapter(checkpoint.path)
    }
    throw CheckpointError(
      file: checkpoint.path,
      "its tensors (\(checkpoint.names.prefix(3).joined(separator: ", ")) ...) are those of no architecture Martlet runs: RWKV-5 and the Llama family"
    )
  }
}
