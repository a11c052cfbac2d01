/// Counts since the engine started, and what runs now.
public struct EngineStatistics: Sendable, Equatable {
  /// Requests and texts that run, and that wait.
  public var running = 0, waiting = 0
  /// Forward passes, and the rows of all of them.
  public var steps = 0, rows = 0
  /// Prompt tokens read, those that a remembered state saved, and tokens generated.
  public var promptTokens = 0, cachedTokens = 0, generatedTokens = 0
  /// Seconds in forward passes.
  public var seconds = 0.0
  /// Requests and texts that came in, and requests that were cancelled.
  public var requests = 0, cancelled = 0
  /// Answers that could not go on, see ``SamplingError``.
  public var failed = 0
  /// Answers that an ``InterventionSource`` or an ``Intervention`` changed.
  public var intervened = 0
  /// Bytes of the states that are remembered.
  public var promptCacheBytes = 0

  /// Counts of nothing.
  public init() {}
}
