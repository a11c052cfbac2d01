import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTokenizers

/// A model with the tokenizer and chat format that belong to it.
public struct LoadedModel: Sendable {
  /// Computes the odds of the next token.
  public let model: any LanguageModel
  /// Turns texts into the model's tokens and back.
  public let tokenizer: any Tokenizer
  /// How conversations are written for the model.
  public let chatFormat: ChatFormat

  /// What may be chosen when a model is loaded; nil leaves it to the file.
  public struct Options: Sendable {
    /// Weights are rounded to this format.
    public var format: WeightFormat?
    /// A tokenizer by name or file, as `TokenizerLoading` takes it.
    public var tokenizer: String?
    /// A chat format by name, in place of the template of the model's files.
    public var chatFormat: ChatFormat.Kind?
    /// The epsilon of RWKV-5's group norm, which no file of the first versions records.
    public var groupNormEpsilon: Float?
    /// Folders of low-rank adapters in PEFT's layout, which are put into the model one after the other.
    public var adapters: [String]
    /// Called with the bytes of weights loaded so far, and their total.
    public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?
    /// Called with what people should know of the adapters and of how the weights are held, one sentence each.
    public var note: (@Sendable (_ sentence: String) -> Void)?

    /// - Parameters: the properties of the same names.
    public init(
      format: WeightFormat? = nil, tokenizer: String? = nil, chatFormat: ChatFormat.Kind? = nil,
      groupNormEpsilon: Float? = nil, adapters: [String] = []
    ) {
      self.format = format
      self.tokenizer = tokenizer
      self.chatFormat = chatFormat
      self.groupNormEpsilon = groupNormEpsilon
      self.adapters = adapters
    }
  }

  /// Parts that belong together.
  public init(model: any LanguageModel, tokenizer: any Tokenizer, chatFormat: ChatFormat) {
    self.model = model
    self.tokenizer = tokenizer
    self.chatFormat = chatFormat
  }

  /// Loads a model.
  ///
  /// - Parameters:
  ///   - nameOrPath: a file, a folder of the hub, the name of a model in the library (``ModelLibrary``), or
  ///     ``BuiltInModel/name`` for the small model that Martlet brings.
  ///   - options: what to choose in place of what its files say, and the adapters to put into it.
  /// - Throws: ``ModelError`` where there is no such model, `CheckpointError` naming what is wrong with
  ///   its files.
  public static func load(_ nameOrPath: String, options: Options = Options()) throws -> LoadedModel {
    let checkpoint = try ModelLibrary().open(nameOrPath)
    return try LoadedModel(
      model: ModelLoading.load(checkpoint, options: options), checkpoint: checkpoint, options: options)
  }

  /// A model that is loaded already, with the tokenizer and chat format of its checkpoint.
  ///
  /// - Throws: `CheckpointError` where it has no tokenizer that can be used.
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
        "its vocabulary of \(size) tokens is smaller than that of the tokenizer (\(tokenizer.vocabularySize)); the two do not belong together"
      )
    }
    chatFormat = ChatFormat.detect(checkpoint, tokenizer: tokenizer, kind: options.chatFormat)
  }
}
