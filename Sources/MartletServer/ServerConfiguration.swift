import MartletEngine
import MartletModels
import MartletSkeleton

/// The configuration of a server.
public struct ServerConfiguration: Sendable {
  /// The address to listen on.
  public var host = "127.0.0.1"
  /// The port; 0 selects a free one.
  public var port = 8080
  /// The name under which the model is listed.
  public var modelName = "martlet"
  /// The accepted API keys; if empty, no key is required.
  public var apiKeys: [String] = []
  /// The origins of web pages that may call the server, in addition to its own page; `*` allows all.
  public var corsOrigins: [String] = []
  /// The host names, with or without a port, that requests may use in addition to addresses and localhost; `*` allows
  /// all. If the server listens on an address that other machines can reach, all names are allowed unless some are
  /// given.
  public var allowedHosts: [String] = []
  /// The options of the engine.
  public var engine = Engine.Options()
  /// The defaults of sampling for requests.
  public var sampling = Sampling()
  /// Whether a `Calculator` writes the values of expressions such as `<<48/2=` in answers to requests without `calculator`.
  public var calculates = false
  /// The options of Skeleton-of-Thought.
  public var skeleton = SkeletonOptions()
  /// The default skeleton mode of chat requests.
  public var skeletonMode = SkeletonMode.off
  /// The folder in which states of common prompt prefixes are saved; nil does not save them.
  public var stateFolder: String?
  /// The file of the model's edits; nil serves the model without edits.
  public var editsPath: String?
  /// A model of `martlet sense train`, or the folder of its run, which the server's page for drawing uses; nil serves none.
  public var recoveryPath: String?
  /// Files of tuned start states by the name that requests use; the empty name is the default of requests without a
  /// name.
  public var startStates: [String: String] = [:]
  /// The largest size of a request body in bytes.
  public var maxBodyBytes = 8 << 20
  /// The largest number of simultaneous connections.
  public var maxConnections = 1024
  /// The time limit for receiving a request and for an idle connection, in seconds.
  public var readTimeout = 30
  /// The time without output in a stream after which a comment is sent to keep proxies from closing it, in seconds.
  public var pingInterval = 10.0
  /// The time in which running answers may finish after the server is asked to stop, in seconds.
  public var shutdownTimeout = 120
  /// Whether prompts and answers are written to the log.
  public var logsText = false
  /// Whether the web page is served.
  public var servesPage = true
  /// Whether the server refuses to run in a confidential guest whose host is vulnerable to CacheWarp.
  public var requiresSafeHost = false
  /// A folder with a captured /proc and /sys to use in place of this machine's, for tests of the host check.
  public var hostRoot: String?
  /// Replies of known length, for measurements.
  package var script: (@Sendable (LoadedModel) -> @Sendable ([Int]) -> [Int]?)?

  /// The defaults of `martlet serve`.
  public init() {
    engine.maxWaiting = 256
    sampling.temperature = 0.7
    sampling.topP = 0.9
  }

  /// Most choices of one request.
  var mostChoices: Int { 16 }
  /// Whether only clients on this machine can connect.
  public var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) || host.hasPrefix("127.") }

  /// Whether `text` is a valid element of ``allowedHosts``.
  public static func isHost(_ text: String) -> Bool { Authority(text) != nil }
}
