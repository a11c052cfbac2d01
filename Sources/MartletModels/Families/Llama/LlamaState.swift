import MartletTensor

/// The state of one sequence of a Llama model: its key/value cache.
public final class LlamaState: SequenceState {
  let cache: KeyValueCache

  init(cache: KeyValueCache) { self.cache = cache }

  public func copy() -> any SequenceState { LlamaState(cache: cache.copy()) }
  public var canBeCut: Bool { true }
  public func prefix(_ count: Int) -> (any SequenceState)? {
    count <= cache.count ? LlamaState(cache: cache.prefix(count)) : nil
  }
  public var position: Int { cache.count }

  public var byteCount: Int { cache.byteCount }
  public var copyByteCount: Int { cache.layout.pageByteCount }

  public func serialized() -> [UInt8] {
    var bytes = withUnsafeBytes(of: UInt64(position).littleEndian, Array.init)
    cache.append(to: &bytes)
    return bytes
  }
}
