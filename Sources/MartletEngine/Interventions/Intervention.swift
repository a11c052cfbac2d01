import MartletTensor

/// A function that reads or changes the output of one linear layer for rows of one request. It is the engine's hook for
/// edits, probes, steering vectors and per-request adapters.
///
/// A forward pass without active interventions runs the unchanged model, and interventions never affect the rows of
/// other requests, so all other results are identical bit for bit. States that an intervention has changed are not
/// cached for other requests.
///
/// ```swift
/// var request = Request(tokens: tokens)
/// request.interventions = [
///   Intervention(layer: "model.layers.20.mlp.down_proj", rows: .all) { pass in
///     Intervention.Effect(replacing: 0..<pass.count, with: pass.output.adding(bias: direction))
///   }
/// ]
/// ```
public struct Intervention: Sendable {
  /// The rows of a request that an intervention acts on.
  public enum Rows: Sendable, Equatable {
    /// The given number of last rows of the prompt, together in one pass. Shorter prompts are left unchanged.
    case endOfPrompt(Int)
    /// Every row, including those of generated tokens, over several passes. The prompt is then read from its first
    /// token on, without cached states.
    case all
  }

  /// The data of one forward pass for an intervention, restricted to the rows of its request.
  public struct Pass {
    /// The position of the first row in its text.
    public let position: Int
    let rows: Range<Int>
    let inputs, outputs: Tensor

    /// The number of rows.
    public var count: Int { rows.count }
    /// The input of the layer, `[count, inputs]`.
    public var input: Tensor { inputs.rows(rows) }
    /// The output of the layer after earlier interventions of the pass, `[count, outputs]`.
    public var output: Tensor { outputs.rows(rows) }
  }

  /// The effect of an intervention in one pass.
  public struct Effect: Sendable {
    /// The rows of the pass whose outputs are replaced, and their new values, `[rows, outputs]`; nil changes nothing.
    public var replacement: (rows: Range<Int>, values: Tensor)?
    /// A note, which is returned in ``Completion/notes``.
    public var note: (any Sendable)?

    /// Replaces outputs of the layer.
    /// - Parameters:
    ///   - rows: the rows of the pass.
    ///   - values: the new outputs, `[rows.count, outputs]`.
    ///   - note: a note, which is returned in ``Completion/notes``.
    public init(replacing rows: Range<Int>, with values: Tensor, note: (any Sendable)? = nil) {
      replacement = (rows, values)
      self.note = note
    }

    /// Changes nothing and returns a note.
    public init(note: any Sendable) { self.note = note }
  }

  /// The name of the layer in a checkpoint, without `.weight`.
  public var layer: String
  /// The rows on which the intervention acts.
  public var rows: Rows
  /// The function of the intervention; it returns nil if it does nothing. It is called on the engine's thread during a
  /// forward pass, and must not run the model itself.
  public var act: @Sendable (Pass) -> Effect?

  /// An intervention in one layer.
  /// - Parameters:
  ///   - layer: the name of the layer in a checkpoint, without `.weight`.
  ///   - rows: the rows on which it acts.
  ///   - act: the function of the intervention; it returns nil if it does nothing.
  public init(layer: String, rows: Rows, act: @escaping @Sendable (Pass) -> Effect?) {
    self.layer = layer
    self.rows = rows
    self.act = act
  }
}

extension Intervention.Rows {
  /// How many of a prompt's last rows must be read where the intervention acts.
  package func count(ofPrompt tokens: Int) -> Int {
    switch self {
    case .endOfPrompt(let count): count
    case .all: tokens
    }
  }
}
