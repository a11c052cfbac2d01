import MartletEngine
import MartletTensor

/// A change of the output of one linear layer for the last rows of a prompt.
public protocol PromptEdit: Sendable {
  /// The name of the layer in a checkpoint, without `.weight`.
  var layer: String { get }
  /// The number of last rows of the prompt that the edit needs in one pass.
  var rowCount: Int { get }
  /// The replacement of the layer's output; nil changes nothing.
  /// - Parameter input: the input of the layer, `[rowCount, inputs]`.
  func replacement(for input: Tensor) -> RowReplacement?
}

/// New outputs of some rows.
public struct RowReplacement: Sendable {
  /// The replaced rows, among those that the edit received.
  public var rows: Range<Int>
  /// The new outputs, `[rows.count, outputs]`.
  public var values: Tensor
  /// The edit that provides the values.
  public var edit: FiredEdit

  /// - Parameters:
  ///   - rows: the replaced rows, among those that the edit received.
  ///   - values: the new outputs, `[rows.count, outputs]`.
  ///   - edit: the edit that provides the values.
  public init(rows: Range<Int>, values: Tensor, edit: FiredEdit) {
    self.rows = rows
    self.values = values
    self.edit = edit
  }
}

extension PromptEdit {
  /// The edit as an intervention of the engine, whose note is the ``FiredEdit``.
  public var intervention: Intervention {
    Intervention(layer: layer, rows: .endOfPrompt(rowCount)) { pass in
      replacement(for: pass.input).map { Intervention.Effect(replacing: $0.rows, with: $0.values, note: $0.edit) }
    }
  }
}
