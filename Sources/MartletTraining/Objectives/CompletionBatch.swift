import MartletModels
import MartletTensor

/// Prompts with completions, one after the other, whose tokens a model scores in one pass: only the rows that predict tokens of
/// completions get logits.
public struct CompletionBatch: Sendable {
  /// The tokens that the model reads, one for each row.
  public private(set) var inputs: [Int] = []
  /// The rows of each prompt with its completion.
  public private(set) var spans: [Range<Int>] = []
  /// The rows that predict the tokens of completions, in the order of ``targets``.
  public private(set) var rows: [Int] = []
  /// The tokens of all completions.
  public private(set) var targets: [Int] = []
  /// The place of each completion in ``targets``.
  public private(set) var completions: [Range<Int>] = []

  /// An empty batch.
  public init() {}

  /// Appends a completion. Precondition: both have at least one token.
  public mutating func append(prompt: [Int], completion: [Int]) {
    precondition(!prompt.isEmpty && !completion.isEmpty, "\(prompt.count) and \(completion.count) tokens")
    let start = inputs.count, first = targets.count
    inputs += prompt + completion.dropLast()
    spans.append(start..<inputs.count)
    rows += start + prompt.count - 1..<inputs.count
    targets += completion
    completions.append(first..<targets.count)
  }

  /// The logits of the distributions of all tokens of completions, `[tokens, vocabulary]`.
  /// - Parameters:
  ///   - model: the model that scores.
  ///   - checkpointing: whether to use gradient checkpointing.
  public func logits(of model: any TrainableModel, checkpointing: Bool = false) -> Tensor {
    model.logits(inputs, spans: spans, rows: rows, checkpointing: checkpointing)
  }

  /// The log-probability of every token of completions, given all before it, `[tokens]`.
  /// - Parameters:
  ///   - model: the model that scores.
  ///   - temperature: what logits are divided by, as in sampling.
  ///   - checkpointing: whether to use gradient checkpointing.
  public func logProbabilities(
    by model: any TrainableModel, temperature: Double = 1, checkpointing: Bool = false
  ) -> Tensor {
    let logits = logits(of: model, checkpointing: checkpointing)
    return MartletTensor.logProbabilities(temperature == 1 ? logits : logits / temperature, of: targets)
  }

  /// The sums of values of tokens (`[tokens]`) over each completion, `[completions]`.
  public func sums(_ values: Tensor) -> Tensor {
    let owners = completions.indices.flatMap { [Int](repeating: $0, count: completions[$0].count) }
    return values.reshaped([targets.count, 1]).scatterRows(owners, count: completions.count)
      .reshaped([completions.count])
  }
}
