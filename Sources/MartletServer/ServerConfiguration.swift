import MartletEngine
import MartletModels
import MartletSkeleton

/// How a model is served.
public struct ServerConfiguration: Sendable {
  public var host = "127.0.0.1"
  public var port = 8080
  /// Name under which the model is listed.
  public var modelName = "martlet"
  public var apiKeys: [String] = []
  /// Origins of web pages that may call the server beside its own page; `*` lets every page.
  public var corsOrigins: [String] = []
  /// Names, with or without a port, under which the server may be reached beside addresses and localhost; `*` takes
  /// every name. On an address that others reach, every name is taken unless some are given.
  public var allowedHosts: [String] = []
  public var engine = Engine.Options()
  /// What a request that says nothing gets.
  public var sampling = Sampling()
  public var skeleton = SkeletonOptions()
  /// What a chat request that says nothing gets.
  public var skeletonMode = SkeletonMode.off
  /// Where states of prompt beginnings are kept between starts; nil keeps none.
  public var stateFolder: String?
  /// File of the model's edits; nil answers without any.
  public var editsPath: String?
  /// Files of tuned start states by the name that requests ask for; the empty name serves those that ask for none.
  public var startStates: [String: String] = [:]
  public var maxBodyBytes = 8 << 20
  public var maxConnections = 1024
  /// Seconds for a request to arrive, and for an idle connection.
  public var readTimeout = 30
  /// Seconds of silence in a stream before a comment is sent, so that proxies keep it open.
  public var pingInterval = 10.0
  /// Seconds that running answers get to finish once the server is asked to stop.
  public var shutdownTimeout = 120
  /// Prompts and answers go into the log.
  public var logsText = false
  public var servesPage = true
  /// Refuse to serve from a confidential guest whose host is open to CacheWarp.
  public var requiresSafeHost = false
  /// Folder with a captured /proc and /sys instead of this machine's, for tests of the host check.
  public var hostRoot: String?
  /// Replies of known length, for measurements.
  package var script: (@Sendable (LoadedModel) -> @Sendable ([Int]) -> [Int]?)?

  public init() {
    engine.maxWaiting = 256
    sampling.temperature = 0.7
    sampling.topP = 0.9
  }

  /// Most choices of one request.
  var mostChoices: Int { 16 }
  public var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) || host.hasPrefix("127.") }

  /// Whether `text` can be one of ``allowedHosts``.
  public static func isHost(_ text: String) -> Bool { Authority(text) != nil }
}
