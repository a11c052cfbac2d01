import MartletModels

/// A state at the beginning of texts in place of the empty state, such as the result of state tuning of an RWKV model.
public struct StartState: Sendable {
  /// The name that distinguishes the start states of an engine. The cache of prompt states uses it as a key.
  public let name: String
  let state: any SequenceState

  /// A start state with its name.
  /// - Parameters:
  ///   - name: the name that distinguishes it from the other start states of the engine.
  ///   - state: a state before the first token.
  public init(name: String, state: any SequenceState) {
    self.name = name
    self.state = state
  }
}
