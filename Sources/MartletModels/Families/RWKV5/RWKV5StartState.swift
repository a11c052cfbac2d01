import MartletCheckpoints
import MartletData
import MartletTensor

/// Tuned start states ("state tuning"): `blocks.i.att.time_state`, the S of every head, in a model's file or in one of
/// their own.
///
/// A `.pth` stores `[head][value][key]`, exchanged against the `[head][key][value]` that is computed with. The converter
/// of web-rwkv and ai00 exchanges once more, so their `.st` files hold `[head][key][value]`.
enum RWKV5StartState {
  private static func name(_ layer: Int) -> String { "blocks.\(layer).att.time_state" }

  /// The start state of every layer, `[heads, size values, size keys]`; nil where there is none.
  ///
  /// - Parameters:
  ///   - names: names in the file by BlinkDL's names.
  ///   - isWholeModel: false for a file of start states alone.
  /// - Throws: ``FileError`` naming the tensor that is missing or does not fit.
  static func read(
    _ checkpoint: Checkpoint, _ names: [String: String], _ c: RWKV5Configuration, isWholeModel: Bool
  ) throws -> [Tensor]? {
    guard names.keys.contains(where: { $0.hasSuffix(".att.time_state") }) else { return nil }
    let size = c.headSize
    let isKeyFirst = isKeyFirst(checkpoint, names, isWholeModel: isWholeModel)
    return try (0..<c.layers).map { layer in
      let tensor = try checkpoint.tensor(names[name(layer)] ?? name(layer))
      guard tensor.count == c.attentionWidth * size, tensor.shape.suffix(2) == [size, size] else {
        throw FileError(
          file: checkpoint.path,
          "tensor \(tensor.name) has shape \(tensor.shape) instead of [\(c.heads), \(size), \(size)]; it belongs to another model"
        )
      }
      let values = try tensor.floats()
      guard values.allSatisfy(\.isFinite) else { throw WeightLoader.notFinite(tensor) }
      let state = Tensor(values, shape: [c.heads, size, size])
      return isKeyFirst ? state.permuted([0, 2, 1]).contiguous() : state
    }
  }

  /// All numbers of a state with these S: attention shift, S as `[head][key][value]`, feed-forward shift, layer by layer.
  static func numbers(_ states: [Tensor], _ c: RWKV5Configuration) -> [Float] {
    let shift = [Float](repeating: 0, count: c.width)
    return states.flatMap { shift + $0.permuted([0, 2, 1]).values + shift }
  }

  /// Whether a file is one of web-rwkv's converter: safetensors in which the bonus of a gated model is called
  /// `time_first`. A safetensors file of start states alone is taken for one too: nothing else writes those.
  static func isKeyFirst(_ checkpoint: Checkpoint, _ names: [String: String], isWholeModel: Bool) -> Bool {
    checkpoint.format == .safetensors
      && (!isWholeModel
        || names["blocks.0.att.time_first"] != nil && names["blocks.0.att.gate.weight"] != nil)
  }
}

extension RWKV5: StartStateModel {
  /// Reads the start state from a file that state tuning wrote.
  /// - Throws: `FileError` that names what is missing, superfluous, or of another model.
  public func startState(from checkpoint: Checkpoint) throws -> any SequenceState {
    let names = try RWKV5Names.unique(checkpoint)
    let isWholeModel = names["emb.weight"] != nil
    let values = try RWKV5StartState.read(checkpoint, names, configuration, isWholeModel: isWholeModel)
    guard let values else {
      throw FileError(
        file: checkpoint.path,
        "it contains no initial state (blocks.0.att.time_state); give a file that state tuning wrote")
    }
    let known = Set((0..<configuration.layers).map { "blocks.\($0).att.time_state" })
    if !isWholeModel, let other = names.keys.sorted().first(where: { !known.contains($0) }) {
      throw FileError(
        file: checkpoint.path,
        "it contains \(names[other] ?? other), which is not an initial state of the \(configuration.layers) layers of this model; it belongs to another model"
      )
    }
    return RWKV5State(
      memory: RecurrentState(RWKV5StartState.numbers(values, configuration)), configuration: configuration)
  }

  /// Whether sequences begin with a tuned state.
  public var hasStartStates: Bool { layers.contains { $0.timeMix.startState != nil } }

  public func isStartState(_ parameter: String) -> Bool { parameter.hasSuffix(".time_state") }

  /// Adds a start state for tuning to every layer, from a file or initialised to zero, which does not change the
  /// output.
  /// - Throws: `FileError`, as ``startState(from:)`` does.
  public mutating func addStartStates(from checkpoint: Checkpoint? = nil) throws {
    var states: [Tensor]?
    if let checkpoint {
      _ = try startState(from: checkpoint)  // says what is wrong with the file
      var names: [String: String] = [:]
      for name in checkpoint.names { names[RWKV5Names.canonical(name)] = name }
      states = try RWKV5StartState.read(
        checkpoint, names, configuration, isWholeModel: names["emb.weight"] != nil)
    }
    let size = configuration.headSize
    for index in layers.indices where states != nil || layers[index].timeMix.startState == nil {
      layers[index].timeMix.startState = states?[index] ?? .zeros([configuration.heads, size, size])
    }
    prepareForInference()
  }
}
