import MartletLayers
import MartletTensor

/// The part of a model from one layer up, on the last rows of some sequences. What lies below and before was worked out
/// once and is constant, so that something small can be trained in that layer at the price of these rows.
public protocol ModelSuffix: Sendable {
  /// Rows of each sequence, numbered through: the first is token `first` of the first sequence.
  var spans: [Range<Int>] { get }

  /// Logits `[rows.count, vocabulary]` of some of the rows, with `wrapper` around the layer.
  func logits(rows: [Int], wrapper: any LinearWrapper) -> Tensor
}

/// Tokens of one sequence, of which those from `first` on belong to a ``ModelSuffix``.
public struct SuffixSequence: Sendable {
  /// All tokens of the sequence.
  public var tokens: [Int]
  /// The place of the first token that belongs to the suffix.
  public var first: Int

  /// Precondition: `first` is the place of a token.
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
  /// One that runs the whole model each time, which is right for every model, and slow: a model of many layers brings a
  /// suffix of its own.
  public func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)? {
    linear(named: layer) == nil ? nil : WholeModelSuffix(model: self, sequences: sequences, layer: layer)
  }

  /// The names of the linear layers, in the order in which a token passes them.
  public var linearNames: [String] {
    var copy = self
    var names: [String] = []
    copy.visitLinears { name, _ in names.append(name) }
    return names
  }

  /// The linear layer of that name.
  public func linear(named name: String) -> Linear? {
    var copy = self
    var found: Linear?
    copy.visitLinears { other, linear in if other == name { found = linear } }
    return found
  }

  /// The same model with `wrapper` around one layer.
  public func wrapping(_ layer: String, with wrapper: any LinearWrapper) -> Self {
    var copy = self
    copy.visitLinears { name, linear in if name == layer { linear.wrapper = wrapper } }
    return copy
  }

  /// Prepares the layers that come after `layer` for gradients that are taken many times.
  public mutating func prepareForGradients(after layer: String, format: WeightFormat = .bf16) {
    var isAfter = false
    visitLinears { name, linear in
      if isAfter { linear.prepareForGradients(format: format) }
      if name == layer { isAfter = true }
    }
  }
}
