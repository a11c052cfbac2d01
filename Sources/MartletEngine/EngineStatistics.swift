/// Counters since the engine started, and its current load.
public struct EngineStatistics: Sendable, Equatable {
  /// The numbers of running and waiting requests and texts.
  public var running = 0, waiting = 0
  /// The number of forward passes, and the total number of their rows.
  public var steps = 0, rows = 0
  /// The numbers of prompt tokens read, of prompt tokens served by cached states, and of generated tokens.
  public var promptTokens = 0, cachedTokens = 0, generatedTokens = 0
  /// The time in forward passes in seconds.
  public var seconds = 0.0
  /// The number of requests and texts received, and the number of cancelled requests.
  public var requests = 0, cancelled = 0
  /// The number of answers that failed, see ``SamplingError``.
  public var failed = 0
  /// The number of answers changed by an ``InterventionSource`` or an ``Intervention``.
  public var intervened = 0
  /// The size of the cached states in bytes.
  public var promptCacheBytes = 0
  /// Those of them that lie in a device's own memory.
  public var promptCacheDeviceBytes = 0

  /// Counters that are all 0.
  public init() {}
}
