import MartletTensor

/// A change of what one linear layer gives out for rows of one request, or a look at it: the engine's one hook for edits,
/// probes, steering vectors and adapters of single requests.
///
/// A forward pass in which no intervention acts runs the model itself, so that where nothing acts nothing differs by a bit;
/// in one where some act, the other requests' rows keep their bits too. States that an intervention has changed are not
/// kept for other requests.
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
    /// The prompt's last rows, this many, together in one pass. A prompt that has fewer is left alone.
    case endOfPrompt(Int)
    /// Every row, those of generated tokens too, in as many passes as it takes. The prompt is then read from its first
    /// token on: no remembered state serves.
    case all
  }

  /// What an intervention sees of one forward pass: its request's rows alone.
  public struct Pass {
    /// Where the first of the rows stands in its text.
    public let position: Int
    let rows: Range<Int>
    let inputs, outputs: Tensor

    /// How many rows there are.
    public var count: Int { rows.count }
    /// What the layer receives, `[count, inputs]`.
    public var input: Tensor { inputs.rows(rows) }
    /// What the layer gives out, `[count, outputs]`, as earlier interventions of the pass have left it.
    public var output: Tensor { outputs.rows(rows) }
  }

  /// What an intervention does in one pass.
  public struct Effect: Sendable {
    /// Which of the rows that it saw get other outputs, and these, `[rows, outputs]`; nil leaves all as they are.
    public var replacement: (rows: Range<Int>, values: Tensor)?
    /// What is to be known of it; handed over in ``Completion/notes``.
    public var note: (any Sendable)?

    /// Puts other values in the place of the layer's output.
    /// - Parameters:
    ///   - rows: which of the rows that the intervention saw.
    ///   - values: `[rows.count, outputs]`
    ///   - note: what is to be known of it.
    public init(replacing rows: Range<Int>, with values: Tensor, note: (any Sendable)? = nil) {
      replacement = (rows, values)
      self.note = note
    }

    /// Changes nothing and tells something.
    public init(note: any Sendable) { self.note = note }
  }

  /// The layer, by its name in a checkpoint without `.weight`.
  public var layer: String
  /// The rows that are acted on.
  public var rows: Rows
  /// What happens to them; nil where nothing does. Called on the engine's thread in the middle of a forward pass.
  public var act: @Sendable (Pass) -> Effect?

  /// Describes an intervention.
  /// - Parameters:
  ///   - layer: by its name in a checkpoint without `.weight`.
  ///   - rows: those that are acted on.
  ///   - act: what happens to them; nil where nothing does.
  public init(layer: String, rows: Rows, act: @escaping @Sendable (Pass) -> Effect?) {
    self.layer = layer
    self.rows = rows
    self.act = act
  }
}

extension Intervention.Rows {
  /// How many of a prompt's last rows must be read where the intervention acts.
  func count(ofPrompt tokens: Int) -> Int {
    switch self {
    case .endOfPrompt(let count): count
    case .all: tokens
    }
  }
}
