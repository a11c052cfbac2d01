import MartletEngine
import MartletTensor

/// A change of what one linear layer answers to a prompt's last rows.
public protocol PromptEdit: Sendable {
  /// The layer, by its name in a checkpoint without `.weight`.
  var layer: String { get }
  /// How many of the prompt's last rows the edit must see together.
  var rowCount: Int { get }
  /// What to put in place of the layer's output.
  /// - Parameter input: what the layer receives, `[rowCount, inputs]`.
  func replacement(for input: Tensor) -> RowReplacement?
}

/// New outputs of some rows.
public struct RowReplacement: Sendable {
  /// Which of the rows that the edit saw.
  public var rows: Range<Int>
  /// `[rows.count, outputs]`
  public var values: Tensor
  /// The edit that they come from.
  public var edit: FiredEdit

  /// - Parameters:
  ///   - rows: which of the rows that the edit saw.
  ///   - values: `[rows.count, outputs]`
  ///   - edit: that which they come from.
  public init(rows: Range<Int>, values: Tensor, edit: FiredEdit) {
    self.rows = rows
    self.values = values
    self.edit = edit
  }
}

extension PromptEdit {
  /// The edit as the engine makes it; its note is the ``FiredEdit``.
  public var intervention: Intervention {
    Intervention(layer: layer, rows: .endOfPrompt(rowCount)) { pass in
      replacement(for: pass.input).map { Intervention.Effect(replacing: $0.rows, with: $0.values, note: $0.edit) }
    }
  }
}
