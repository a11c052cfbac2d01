import MartletData

/// A model of any kind, loaded from a checkpoint or made new: one that continues texts is a ``LanguageModel``, and an
/// encoder, which continues nothing, stands beside it.
public protocol Model: Sendable {
  /// What people and programs want to know about it.
  var description: ModelDescription { get }
}

/// What people and programs want to know about a loaded model.
public struct ModelDescription: Sendable {
  /// E.g. `RWKV-5.2` or `llama`.
  public var architecture: String
  /// Number of blocks.
  public var layers: Int
  /// Features of a row between the blocks.
  public var width: Int
  /// Heads of each block's attention or recurrence.
  public var heads: Int
  /// Features inside a block's feed-forward part.
  public var feedForwardWidth: Int
  /// Number of different tokens.
  public var vocabularySize: Int
  /// Number of weights.
  public var parameterCount: Int
  /// Most tokens of a sequence; nil where the state does not grow.
  public var contextLength: Int?
  /// Bytes of weights that one decoded token reads.
  public var bytesPerToken: Int
  /// Tells models apart: a digest of names, shapes and samples of the weights, and the weight format.
  public var fingerprint: String
  /// Whether an adapter changes what the weights of its file compute.
  public var hasAdapter = false
  /// What people should know of how its weights were loaded, one sentence each.
  public var remarks: [String] = []
  /// How its family is used where nothing else is asked for.
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

  /// Says that an adapter has changed what the model computes.
  ///
  /// - Parameter digest: of the adapter; it becomes part of the fingerprint.
  public mutating func addAdapter(digest: String) {
    fingerprint = SHA256.fingerprint(fingerprint + digest)
    hasAdapter = true
  }
}
