import MartletData

/// A model of any kind, loaded from a checkpoint or newly made. A model that generates text conforms to
/// ``LanguageModel``; an encoder conforms to this protocol only.
public protocol Model: Sendable {
  /// The properties of the model.
  var description: ModelDescription { get }
}

/// The properties of a loaded model.
public struct ModelDescription: Sendable {
  /// The architecture, e.g. `RWKV-5.2` or `llama`.
  public var architecture: String
  /// The number of blocks.
  public var layers: Int
  /// The width of the residual stream.
  public var width: Int
  /// The number of heads of each block's attention or recurrence.
  public var heads: Int
  /// The number of hidden features of a block's feed-forward part.
  public var feedForwardWidth: Int
  /// The number of tokens in the vocabulary.
  public var vocabularySize: Int
  /// The number of weights.
  public var parameterCount: Int
  /// The largest number of tokens of a sequence; nil if the state does not grow.
  public var contextLength: Int?
  /// The number of bytes of weights that are read to decode one token.
  public var bytesPerToken: Int
  /// A fingerprint of the model: a digest of the names, shapes and samples of the weights, and the weight format.
  public var fingerprint: String
  /// Whether an adapter changes the model.
  public var hasAdapter = false
  /// The name of the device that the model runs on; nil for the processor.
  public var device: String?
  /// Remarks for the user on how the weights were loaded, one sentence each.
  public var remarks: [String] = []
  /// The defaults of the model's family.
  public var defaults = ModelDefaults()

  /// - Parameters: the properties of the same names.
  public init(
    architecture: String, layers: Int, width: Int, heads: Int, feedForwardWidth: Int, vocabularySize: Int,
    parameterCount: Int, contextLength: Int?, bytesPerToken: Int, fingerprint: String, hasAdapter: Bool = false,
    remarks: [String] = [], defaults: ModelDefaults = ModelDefaults()
  ) {
    self.architecture = architecture
    self.layers = layers
    self.width = width
    self.heads = heads
    self.feedForwardWidth = feedForwardWidth
    self.vocabularySize = vocabularySize
    self.parameterCount = parameterCount
    self.contextLength = contextLength
    self.bytesPerToken = bytesPerToken
    self.fingerprint = fingerprint
    self.hasAdapter = hasAdapter
    self.remarks = remarks
    self.defaults = defaults
  }

  /// Records that an adapter has changed the model.
  ///
  /// - Parameter digest: a digest of the adapter, which becomes part of the fingerprint.
  public mutating func addAdapter(digest: String) {
    fingerprint = SHA256.fingerprint(fingerprint + digest)
    hasAdapter = true
  }
}

extension ModelDescription: CustomStringConvertible {
  /// A line for people, e.g. `llama, 134515008 parameters, 30 layers of width 576, 49152 tokens, context of 8192`.
  public var description: String {
    "\(architecture.printable), \(parameterCount) parameters, \(layers) layers of width \(width), \(vocabularySize) tokens"
      + (contextLength.map { ", context of \($0)" } ?? ", no limit of the context")
  }
}
