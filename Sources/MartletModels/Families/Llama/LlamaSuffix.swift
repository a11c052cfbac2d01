import MartletLayers
import MartletTensor

/// A ``ModelSuffix`` of a Llama: keys and values of the rows before it are kept.
struct LlamaSuffix: ModelSuffix {
  let spans: [Range<Int>]
  private let model: Llama
  private let name: String
  private let first: Int
  /// What layer `first` receives, `[rows, width]`.
  private let input: Tensor
  /// Of layers from `first` on, one pair `[rows before, keyValueHeads * size]` a sequence.
  private let prefix: [[(key: Tensor, value: Tensor)]]
  private let cosine, sine: Tensor

  init(_ model: Llama, _ sequences: [SuffixSequence], at name: String, layer first: Int) {
    let c = model.configuration, whole = sequences.wholeSpans
    self.model = model
    self.name = name
    self.first = first
    spans = sequences.suffixSpans
    let (cosine, sine) = model.positions.angles(whole.flatMap { 0..<$0.count })
    var x = model.embedding(sequences.flatMap(\.tokens))
    var input = x
    var prefix: [[(key: Tensor, value: Tensor)]] = []
    for (index, layer) in model.layers.enumerated() {
      if index == first { input = x.gatherRows(sequences.suffixRows) }
      x = layer(x, c, cosine: cosine, sine: sine) { query, key, value in
        if index >= first {
          prefix.append(
            zip(sequences, whole).map { sequence, span in
              let before = Array(span.lowerBound..<span.lowerBound + sequence.first)
              return (key.gatherRows(before), value.gatherRows(before))
            })
        }
        return attention(
          query: query, key: key, value: value, heads: c.heads, keyValueHeads: c.keyValueHeads, spans: whole)
      }
    }
    self.input = input
    self.prefix = prefix
    (self.cosine, self.sine) = model.positions.angles(sequences.flatMap { $0.first..<$0.tokens.count })
  }

  func logits(rows: [Int], wrapper: any LinearWrapper) -> Tensor {
    let c = model.configuration
    var x = input
    for index in first..<model.layers.count {
      var layer = model.layers[index]
      if index == first {
        layer.visitLinears({ Llama.Names.hub.layer(index, $0) }) { if $0 == name { $1.wrapper = wrapper } }
      }
      x = layer(x, c, cosine: cosine, sine: sine) { query, key, value in
        attention(
          query: query, key: key, value: value, heads: c.heads, keyValueHeads: c.keyValueHeads, spans: spans,
          prefix: prefix[index - first])
      }
    }
    return model.project(rmsNorm(x.gatherRows(rows), weight: model.outputNorm, epsilon: Double(c.normEpsilon)))
  }
}

extension Llama {
  public func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)? {
    for index in layers.indices {
      var found = false
      var copy = layers[index]
      copy.visitLinears({ Names.hub.layer(index, $0) }) { name, _ in if name == layer { found = true } }
      if found { return LlamaSuffix(self, sequences, at: layer, layer: index) }
    }
    return nil
  }
}
