import MartletModels

/// A state that texts begin from in place of the empty one, such as an RWKV that was tuned by its states alone.
public struct StartState: Sendable {
  /// Tells start states of one engine apart; prompts that were read from it are remembered under this name.
  public let name: String
  let state: any SequenceState

  /// Names a state.
  /// - Parameters:
  ///   - name: tells it from the other start states of the engine.
  ///   - state: a state that has seen no token.
  public init(name: String, state: any SequenceState) {
    self.name = name
    self.state = state
  }
}
