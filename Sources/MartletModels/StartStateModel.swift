import MartletCheckpoints

/// A model whose texts may begin from a tuned state instead of from nothing.
public protocol StartStateModel: TrainableModel {
  /// The start state that a file of its own holds, as state tuning saves it.
  ///
  /// - Throws: `CheckpointError` naming what is missing, left over, or of another model.
  func startState(from checkpoint: Checkpoint) throws -> any SequenceState

  /// Gives every layer a start state to be tuned.
  ///
  /// - Parameter checkpoint: a file of start states; nil for zeros, which change nothing.
  /// - Throws: as ``startState(from:)``.
  mutating func addStartStates(from checkpoint: Checkpoint?) throws

  /// Whether a parameter, by its name in a checkpoint, belongs to a start state.
  func isStartState(_ parameter: String) -> Bool
}

extension LoadedModel {
  /// The state that a file of start states holds (`time_state` of a .pth, .st or .safetensors), for a sequence to begin
  /// with.
  ///
  /// - Throws: ``ModelError`` for a model that has no such states, `CheckpointError` for a file that
  ///   does not fit.
  public func readState(path: String) throws -> any SequenceState {
    guard let model = model as? any StartStateModel else {
      throw ModelError(
        "\(path): initial states exist for RWKV models only; this one is \(model.description.architecture)")
    }
    return try model.startState(from: Checkpoint.open(path))
  }
}
