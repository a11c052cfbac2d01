import MartletEngine
import MartletModels
import MartletSkeleton

/// How a model is served.
public struct ServerConfiguration: Sendable {
  /// The address it listens on.
  public var host = "127.0.0.1"
  /// The port; 0 takes a free one.
  public var port = 8080
  /// Name under which the model is listed.
  public var modelName = "martlet"
  /// Keys of which clients must send one; empty asks for none.
  public var apiKeys: [String] = []
  /// Origins of web pages that may call the server beside its own page; `*` lets every page.
  public var corsOrigins: [String] = []
  /// Names, with or without a port, under which the server may be reached beside addresses and localhost; `*` takes
  /// every name. On an address that others reach, every name is taken unless some are given.
  public var allowedHosts: [String] = []
  /// How the engine runs.
  public var engine = Engine.Options()
  /// What a request that says nothing gets.
  public var sampling = Sampling()
  /// How skeletons are made.
  public var skeleton = SkeletonOptions()
  /// What a chat request that says nothing gets.
  public var skeletonMode = SkeletonMode.off
  /// Where states of prompt beginnings are kept between starts; nil keeps none.
  public var stateFolder: String?
  /// File of the model's edits; nil answers without any.
  public var editsPath: String?
  /// Files of tuned start states by the name that requests ask for; the empty name serves those that ask for none.
  public var startStates: [String: String] = [:]
  /// Most bytes of a request's body.
  public var maxBodyBytes = 8 << 20
  /// Most connections at a time.
  public var maxConnections = 1024
  /// Seconds for a request to arrive, and for an idle connection.
  public var readTimeout = 30
  /// Seconds of silence in a stream before a comment is sent, so that proxies keep it open.
  public var pingInterval = 10.0
  /// Seconds that running answers get to finish once the server is asked to stop.
  public var shutdownTimeout = 120
  /// Prompts and answers go into the log.
  public var logsText = false
  /// Whether the page is served.
  public var servesPage = true
  /// Refuse to serve from a confidential guest whose host is open to CacheWarp.
  public var requiresSafeHost = false
  /// Folder with a captured /proc and /sys instead of this machine's, for tests of the host check.
  public var hostRoot: String?
  /// Replies of known length, for measurements.
  package var script: (@Sendable (LoadedModel) -> @Sendable ([Int]) -> [Int]?)?

  /// The settings that `martlet serve` begins from.
  public init() {
    engine.maxWaiting = 256
    sampling.temperature = 0.7
    sampling.topP = 0.9
  }

  /// Most choices of one request.
  var mostChoices: Int { 16 }
  /// Whether only this machine can connect.
  public var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) || host.hasPrefix("127.") }

  /// Whether `text` can be one of ``allowedHosts``.
  public static func isHost(_ text: String) -> Bool { Authority(text) != nil }
}
