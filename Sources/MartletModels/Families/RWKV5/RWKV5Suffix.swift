import MartletLayers
import MartletTensor

/// A ``ModelSuffix`` of an RWKV-5: the states after the rows before it are kept.
struct RWKV5Suffix: ModelSuffix {
  let spans: [Range<Int>]
  private let model: RWKV5
  private let name: String
  private let first: Int
  /// What layer `first` receives, `[rows, C]`.
  private let input: Tensor
  private let states: [RWKV5State]

  init(_ model: RWKV5, _ sequences: [SuffixSequence], at name: String, layer first: Int) {
    self.model = model
    self.name = name
    self.first = first
    spans = sequences.suffixSpans
    // The rows before move the states on; the others then run from copies, so that the states stay.
    let states = sequences.map { sequence -> RWKV5State in
      guard let state = model.makeState() as? RWKV5State else {
        preconditionFailure("a state of another model")  // safe: an RWKV-5 makes no other states
      }
      if sequence.first > 0 { _ = model.hidden(Batch(Array(sequence.tokens[..<sequence.first]), state: state)) }
      return state
    }
    self.states = states
    let passing = states.compactMap { $0.copy() as? RWKV5State }
    var x = model.embedded(sequences.flatMap { $0.tokens[$0.first...] })
    for (index, layer) in model.layers[..<first].enumerated() {
      x = layer(x, spans: spans, past: .carried(passing), layer: index)
    }
    input = x
  }

  func logits(rows: [Int], wrapper: any LinearWrapper) -> Tensor {
    var x = input
    for index in first..<model.layers.count {
      var layer = model.layers[index]
      if index == first {
        layer.visitLinears("blocks.\(index).") { if $0 == name { $1.wrapper = wrapper } }
      }
      x = layer(x, spans: spans, past: .constant(states), layer: index)
    }
    return model.head(model.outputNorm(x.gatherRows(rows)))
  }
}

extension RWKV5.Layer {
  mutating func visitLinears(_ prefix: String, _ body: (String, inout Linear) -> Void) {
    timeMix.visitLinears(prefix + "att.", body)
    channelMix.visitLinears(prefix + "ffn.", body)
  }
}

extension RWKV5 {
  public func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)? {
    for index in layers.indices {
      var found = false
      var copy = layers[index]
      copy.visitLinears("blocks.\(index).") { name, _ in if name == layer { found = true } }
      if found { return RWKV5Suffix(self, sequences, at: layer, layer: index) }
    }
    return nil
  }
}
