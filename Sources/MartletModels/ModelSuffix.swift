import MartletLayers
import MartletTensor

/// The part of a model from one layer up, on the last rows of some sequences. Everything before was computed once and
/// is constant, so that something small can be trained in that layer at the cost of only these rows.
public protocol ModelSuffix: Sendable {
  /// The rows of each sequence, numbered consecutively: row 0 is token `first` of the first sequence.
  var spans: [Range<Int>] { get }

  /// The logits of some of the rows, `[rows.count, vocabulary]`, with `wrapper` applied to the layer.
  func logits(rows: [Int], wrapper: any LinearWrapper) -> Tensor
}

/// The tokens of one sequence for a ``ModelSuffix``, which contains those from `first` on.
public struct SuffixSequence: Sendable {
  /// All tokens of the sequence.
  public var tokens: [Int]
  /// The index of the first token that belongs to the suffix.
  public var first: Int

  /// A sequence. Precondition: `first` is the index of a token.
  public init(tokens: [Int], first: Int) {
    precondition(tokens.indices.contains(first), "row \(first) of \(tokens.count) tokens")
    self.tokens = tokens
    self.first = first
  }
}

extension Array where Element == SuffixSequence {
  /// Rows of whole sequences, one behind the other.
  var wholeSpans: [Range<Int>] { spans { $0.tokens.count } }
  /// The same of their suffixes alone.
  var suffixSpans: [Range<Int>] { spans { $0.tokens.count - $0.first } }
  /// Which rows of the whole sequences are in the suffixes.
  var suffixRows: [Int] { zip(self, wholeSpans).flatMap { $1.lowerBound + $0.first..<$1.upperBound } }

  private func spans(_ count: (Element) -> Int) -> [Range<Int>] {
    var start = 0
    return map { sequence in
      defer { start += count(sequence) }
      return start..<start + count(sequence)
    }
  }
}

/// A ``ModelSuffix`` that runs the whole model each time.
private struct WholeModelSuffix<Whole: TrainableModel>: ModelSuffix {
  let model: Whole
  let sequences: [SuffixSequence]
  let layer: String

  var spans: [Range<Int>] { sequences.suffixSpans }

  func logits(rows: [Int], wrapper: any LinearWrapper) -> Tensor {
    let suffix = sequences.suffixRows
    return model.wrapping(layer, with: SomeRows(rows: suffix, wrapper: wrapper)).logits(
      sequences.flatMap(\.tokens), spans: sequences.wholeSpans, rows: rows.map { suffix[$0] }, checkpointing: false)
  }

  /// Shows a wrapper some of the rows alone.
  private struct SomeRows: LinearWrapper {
    let rows: [Int]
    let wrapper: any LinearWrapper

    func wrap(_ output: Tensor, input: Tensor) -> Tensor {
      output.replacingRows(rows, with: wrapper.wrap(output.gatherRows(rows), input: input.gatherRows(rows)))
    }
  }
}

extension TrainableModel {
  /// The default runs the whole model each time, which is correct for every model but slow. A model with many layers
  /// should provide its own implementation.
  public func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)? {
    linear(named: layer) == nil ? nil : WholeModelSuffix(model: self, sequences: sequences, layer: layer)
  }

  /// The names of the linear layers, in the order of the forward pass.
  public var linearNames: [String] {
    var copy = self
    var names: [String] = []
    copy.visitLinears { name, _ in names.append(name) }
    return names
  }

  /// The linear layer with a name; nil if there is none.
  public func linear(named name: String) -> Linear? {
    var copy = self
    var found: Linear?
    copy.visitLinears { other, linear in if other == name { found = linear } }
    return found
  }

  public func wrapper(of layer: String) -> (any LinearWrapper)? { linear(named: layer)?.wrapper }

  /// A copy of the model with `wrapper` applied to one layer.
  public func wrapping(_ layer: String, with wrapper: any LinearWrapper) -> Self {
    var copy = self
    copy.visitLinears { name, linear in if name == layer { linear.wrapper = wrapper } }
    return copy
  }

  /// Prepares the layers after `layer` for computing gradients many times.
  public mutating func prepareForGradients(after layer: String, format: WeightFormat = .bf16) {
    var isAfter = false
    visitLinears { name, linear in
      if isAfter { linear.prepareForGradients(format: format) }
      if name == layer { isAfter = true }
    }
  }
}
