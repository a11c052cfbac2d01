import MartletTensor

/// The state of one sequence of an RWKV-5 model: for every layer the shift of the time mix `[width]`, the state S
/// `[heads, size keys, size values]` and the shift of the channel mix `[width]`. Its size is constant.
public final class RWKV5State: SequenceState {
  let memory: RecurrentState
  private let layerCount: Int
  private let width: Int
  // Unsafe for the compiler: a state belongs to one forward pass at a time, which alone counts it on. Whoever wants to go on
  // from one elsewhere takes a copy.
  nonisolated(unsafe) public internal(set) var position: Int

  init(memory: RecurrentState, configuration: RWKV5Configuration, position: Int = 0) {
    self.memory = memory
    layerCount = configuration.layerStateCount
    width = configuration.width
    self.position = position
  }

  private init(_ other: RWKV5State) {
    memory = other.memory.copy()
    layerCount = other.layerCount
    width = other.width
    position = other.position
  }

  public func copy() -> any SequenceState { RWKV5State(self) }
  public var canBeCut: Bool { false }
  public func prefix(_ count: Int) -> (any SequenceState)? { count == position ? copy() : nil }

  func attentionShift(_ layer: Int) -> StateSlice { memory.slice(at: layer * layerCount) }
  func recurrence(_ layer: Int) -> StateSlice { memory.slice(at: layer * layerCount + width) }
  func feedForwardShift(_ layer: Int) -> StateSlice { memory.slice(at: (layer + 1) * layerCount - width) }

  /// All elements, layer by layer.
  public var values: [Float] { memory.values }
  public var numbers: [Float]? { values }

  public var byteCount: Int { memory.count * 4 }

  public func serialized() -> [UInt8] {
    withUnsafeBytes(of: UInt64(position).littleEndian, Array.init) + values.withUnsafeBytes(Array.init)
  }
}
