import MartletCheckpoints
import MartletData
import MartletDevice
import MartletTensor
import MartletTokenizers

/// A model with its tokenizer and chat format.
public struct LoadedModel: Sendable {
  /// The model.
  public let model: any LanguageModel
  /// The tokenizer.
  public let tokenizer: any Tokenizer
  /// How conversations are written for the model.
  public let chatFormat: ChatFormat

  /// Options for loading a model; nil uses what the files specify.
  public struct Options: Sendable {
    /// The format to which weights are converted.
    public var format: WeightFormat?
    /// A tokenizer by name or file, as `TokenizerLoading` accepts it.
    public var tokenizer: String?
    /// A chat format by name, in place of the template of the model's files.
    public var chatFormat: ChatFormat.Kind?
    /// The epsilon of RWKV-5's group norm, which files of the first versions do not contain.
    public var groupNormEpsilon: Float?
    /// The device that the model runs on; nil for the processor.
    public var device: Device?
    /// Whether the bits of a row's results on the device must not depend on the rows beside it, as on the processor they never do.
    public var isExact = false
    /// Folders of low-rank adapters in PEFT's layout, which are loaded into the model one after the other.
    public var adapters: [String]
    /// A progress callback, called with the number of bytes of weights loaded so far and the total.
    public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?
    /// A callback for remarks about the adapters and about how the weights are stored, one sentence each.
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

  /// A loaded model made of its parts.
  public init(model: any LanguageModel, tokenizer: any Tokenizer, chatFormat: ChatFormat) {
    self.model = model
    self.tokenizer = tokenizer
    self.chatFormat = chatFormat
  }

  /// Loads a model.
  ///
  /// - Parameters:
  ///   - nameOrPath: a file, a folder of the hub, the name of a model in the library (``ModelLibrary``), or
  ///     ``BuiltInModel/name`` for the built-in model.
  ///   - options: options that override what the files specify, and the adapters to load.
  /// - Throws: ``ModelError`` if there is no such model, `FileError` that names what is wrong with its files.
  public static func load(_ nameOrPath: String, options: Options = Options()) throws -> LoadedModel {
    let checkpoint = try ModelLibrary().open(nameOrPath)
    return try LoadedModel(
      model: ModelLoading.load(checkpoint, options: options), checkpoint: checkpoint, options: options)
  }

  /// A model that has been loaded already, with the tokenizer and the chat format of its checkpoint.
  ///
  /// - Throws: `FileError` if it has no usable tokenizer.
  public init(model: any LanguageModel, checkpoint: Checkpoint, options: Options = Options()) throws {
    self.model = model
    let path = checkpoint.path
    let size = model.description.vocabularySize
    tokenizer =
      try options.tokenizer.map(TokenizerLoading.open)
      ?? TokenizerLoading.forModel(checkpoint, vocabularySize: size)
    guard tokenizer.vocabularySize <= size else {
      throw FileError(
        file: path,
        "its vocabulary of \(size) tokens is smaller than that of the tokenizer (\(tokenizer.vocabularySize) tokens, from \(options.tokenizer ?? "the tokenizer.json in its folder")); the two do not belong together, so give the model's own with --tokenizer\(size == 256 ? " (bytes is one of 256 tokens)" : "")"
      )
    }
    chatFormat = ChatFormat.detect(checkpoint, tokenizer: tokenizer, kind: options.chatFormat)
  }
}
