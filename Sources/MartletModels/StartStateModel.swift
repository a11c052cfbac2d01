import MartletCheckpoints

/// A model whose sequences can begin with a tuned state instead of an empty one.
public protocol StartStateModel: TrainableModel {
  /// Reads the start state from a file that state tuning wrote.
  ///
  /// - Throws: `FileError` that names what is missing, superfluous, or of another model.
  func startState(from checkpoint: Checkpoint) throws -> any SequenceState

  /// Adds a start state for tuning to every layer.
  ///
  /// - Parameter checkpoint: a file of start states; nil initialises them to zero, which does not change the output.
  /// - Throws: the errors of ``startState(from:)``.
  mutating func addStartStates(from checkpoint: Checkpoint?) throws

  /// Whether a parameter, by its name in a checkpoint, belongs to a start state.
  func isStartState(_ parameter: String) -> Bool
}

extension LoadedModel {
  /// Reads the start state for a sequence from a file (`time_state` in a .pth, .st or .safetensors file).
  ///
  /// - Throws: ``ModelError`` if the model does not support start states, `FileError` if the file does not fit.
  public func readState(path: String) throws -> any SequenceState {
    if let model = model as? DeviceModel, let shell = model.shell as? any StartStateModel {
      return model.taking(try shell.startState(from: Checkpoint.open(path)))
    }
    guard let model = model as? any StartStateModel else {
      throw ModelError(
        "\(path): initial states exist for RWKV models only; this one is \(model.description.architecture)")
    }
    return try model.startState(from: Checkpoint.open(path))
  }
}
