import Synchronization

/// How a tensor was made: the tensors it came from and how a gradient flows back to them.
///
/// Operations record one only when an input has one; inference never builds a tape.
final class TapeNode: @unchecked Sendable {
  /// Gradients of the inputs, in order; nil where there is none or none is asked for.
  typealias Pullback = @Sendable (PullbackContext) -> [Tensor?]

  private static let counter = Atomic<Int>(0)
  static var nextIndex: Int { counter.load(ordering: .relaxed) }

  /// Order of creation: a node comes after the nodes it was made from.
  let index: Int
  private(set) var parents: [TapeNode?]
  private var saved: [Tensor]
  /// The last of `saved` is the node's own output, kept without its node, or the two would hold each other.
  private let savesOutput: Bool
  private let pullback: Pullback?
  /// Shape and type, for gradients that nothing flows into.
  let shape: [Int]
  let dtype: DType

  init(
    parents: [TapeNode?] = [], saved: [Tensor] = [], savesOutput: Bool = false, shape: [Int], dtype: DType,
    pullback: Pullback? = nil
  ) {
    index = Self.counter.wrappingAdd(1, ordering: .relaxed).oldValue
    self.parents = parents
    self.saved = saved
    self.savesOutput = savesOutput
    self.shape = shape
    self.dtype = dtype
    self.pullback = pullback
  }

  /// - Parameter isDifferentiable: whether the gradients themselves must be recorded.
  func pull(_ gradient: Tensor, needs: [Bool], isDifferentiable: Bool) -> [Tensor?] {
    guard let pullback else { return [] }
    var saved = saved
    for place in saved.indices {
      if !isDifferentiable {
        saved[place].node = nil
      } else if savesOutput, place == saved.count - 1 {
        saved[place].node = self
      }
    }
    return pullback(
      PullbackContext(saved: saved, gradient: gradient, needs: needs, isDifferentiable: isDifferentiable))
  }

  /// Forgets what backward needed, once it has run.
  func release() {
    saved = []
    parents = []
  }

  /// A long chain is let go link by link: recursion would overflow the stack.
  deinit {
    var pending = parents.compactMap { $0 } + saved.compactMap(\.node)
    parents = []
    saved = []
    while var node = pending.popLast() {
      guard isKnownUniquelyReferenced(&node) else { continue }
      pending.append(contentsOf: node.parents.compactMap { $0 })
      pending.append(contentsOf: node.saved.compactMap(\.node))
      node.release()
    }
  }
}

/// What a pullback works with.
package struct PullbackContext {
  /// The tensors that were saved, in order.
  package let saved: [Tensor]
  /// Gradient of the result.
  package let gradient: Tensor
  /// Whether each input's gradient is wanted.
  package let needs: [Bool]
  /// Whether the gradients themselves are recorded.
  package let isDifferentiable: Bool
}

extension Tensor {
  /// Itself, remembered as made from `inputs`, if a gradient may be asked for. `self` is fresh: it has no node yet.
  ///
  /// - Parameters:
  ///   - saved: what the pullback is handed again.
  ///   - savesOutput: whether the result itself follows those.
  ///   - pullback: gradients of the inputs, in order; nil where there is none or none is asked for.
  package func recorded(
    from inputs: [Tensor], saving saved: [Tensor] = [], savesOutput: Bool = false,
    _ pullback: @escaping @Sendable (PullbackContext) -> [Tensor?]
  ) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }) else { return self }
    var result = self
    result.node = TapeNode(
      parents: inputs.map(\.node), saved: savesOutput ? saved + [self] : saved, savesOutput: savesOutput, shape: shape,
      dtype: dtype, pullback: pullback)
    return result
  }

  /// Whether operations on this tensor are recorded for differentiation.
  public var isRecorded: Bool { node != nil }

  /// The same values as a variable, with respect to which gradients can be computed.
  public func variable() -> Tensor {
    var result = self
    result.node = TapeNode(shape: shape, dtype: dtype)
    return result
  }

  /// The same values as a constant, through which no gradient flows.
  public func detached() -> Tensor {
    var result = self
    result.node = nil
    return result
  }

  /// The same values behind a node of their own, so that a gradient can be taken with respect to exactly this use.
  func tapped() -> Tensor {
    detached().recorded(from: [self]) { [$0.gradient] }
  }
}

/// The same values as a constant, through which no gradient flows.
public func stopGradient(_ x: Tensor) -> Tensor { x.detached() }
