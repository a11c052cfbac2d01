/// The recurrent state of one sequence. It is a reference type; its owner decides when it is updated.
public final class RecurrentState: @unchecked Sendable {
  // Unchecked: a sequence's state belongs to one pass at a time, and that pass alone changes it.

  let storage: Storage
  /// The number of elements.
  public let count: Int

  /// `count` zeros.
  public init(count: Int) {
    self.count = count
    storage = .zeros(byteCount: count * 4)
  }

  /// A state that holds `values`.
  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    storage.withUnsafeMutableBytes { target in values.withUnsafeBytes { target.copyMemory(from: $0) } }
  }

  /// An independent state with the same elements. O(count).
  public func copy() -> RecurrentState {
    let other = RecurrentState(count: count)
    other.storage.withUnsafeMutableBytes { target in storage.withUnsafeBytes { target.copyMemory(from: $0) } }
    return other
  }

  /// The elements from `offset` on.
  public func slice(at offset: Int) -> StateSlice { StateSlice(state: self, offset: offset) }

  /// A copy of all elements. O(count).
  public var values: [Float] { slice(at: 0).values(count: count) }
}

/// A position inside a ``RecurrentState``.
public struct StateSlice: Sendable {
  let state: RecurrentState
  let offset: Int

  fileprivate init(state: RecurrentState, offset: Int) {
    self.state = state
    self.offset = offset
  }

  /// A copy of the first `count` elements. Precondition: the state has at least as many from this position on.
  public func values(count: Int) -> [Float] {
    precondition(offset + count <= state.count, "\(count) numbers from \(offset) of \(state.count)")
    return state.storage.withUnsafeBytes { Array($0.assumingMemoryBound(to: Float.self)[offset..<offset + count]) }
  }
}

extension [StateSlice] {
  /// Precondition: there is one slice for each span, with at least `count` elements.
  func check(count: Int, spans: [Range<Int>]) {
    precondition(self.count == spans.count, "\(self.count) states of \(spans.count) sequences")
    for slice in self {
      precondition(
        slice.offset >= 0 && slice.offset + count <= slice.state.count,
        "\(count) elements from \(slice.offset) of \(slice.state.count)")
    }
  }
}
