import MartletCheckpoints
import MartletLayers
import MartletModels
import MartletTensor

/// A toy: the next token by the last two, through plain feed-forward blocks.
///
///     x = emb[token], p = emb[token before]
///     x = x + down . relu(up . [x, p])^2    in every block
///     logits = head . x
struct PairModel: TrainableModel {
  struct Block: Sendable { var up, down: Linear }

  var description: ModelDescription
  var embedding: Tensor  // [vocabulary, width]
  var blocks: [Block]
  var head: Linear

  /// Of tokens and those before them, `[tokens, width]`.
  private func run(_ tokens: [Int], after before: [Int]) -> Tensor {
    var x = embedding.gatherRows(tokens)
    let previous = embedding.gatherRows(before)
    for block in blocks {
      let rows = concatenated([x, previous], axis: 1).contiguous()
      x = x + block.down(reluSquared(block.up(rows)))
    }
    return x
  }

  func makeState() -> any SequenceState { PairState() }

  func hidden(_ batch: Batch) -> Tensor {
    var before: [Int] = []
    for (span, state) in zip(batch.spans, batch.states) {
      guard let state = state as? PairState else { preconditionFailure("a state of another model") }
      let tokens = Array(batch.tokens[span])
      before += [state.last] + tokens.dropLast()
      state.read(tokens)
    }
    let x = run(batch.tokens, after: before)
    return batch.outputRows.map(x.gatherRows) ?? x
  }

  func project(_ hidden: Tensor) -> Tensor { head(hidden) }

  func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState { try PairState(restoring: bytes) }

  func logits(_ tokens: [Int], spans: [Range<Int>], rows: [Int]?, checkpointing: Bool) -> Tensor {
    let x = run(tokens, after: spans.flatMap { [0] + tokens[$0].dropLast() })
    return head(rows.map(x.gatherRows) ?? x)
  }

  mutating func visitLinears(_ body: (String, inout Linear) -> Void) {
    for index in blocks.indices {
      body("blocks.\(index).up", &blocks[index].up)
      body("blocks.\(index).down", &blocks[index].down)
    }
    body("head", &head)
  }

  mutating func visitParameters(_ body: (String, inout Tensor) -> Void) {
    body("embedding.weight", &embedding)
    visitLinears { name, linear in linear.visitParameters(name, body) }
  }

  var embeddingName: String { "embedding" }
  var isTied: Bool { false }
  var embeddingTable: Tensor {
    get { embedding }
    set { embedding = newValue }
  }
  mutating func noteAdapter(digest: String) { description.addAdapter(digest: digest) }
}
