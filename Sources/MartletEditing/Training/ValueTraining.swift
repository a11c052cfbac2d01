import MartletEngine
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

/// The training of values (GRACE, Hartvigsen et al., 2023, section 3.2).
public struct ValueTraining: Sendable, Codable, Equatable {
  /// Where the training of a value starts.
  public enum Start: String, Sendable, Codable, CaseIterable {
    /// Uniform random numbers in [0, 1), as in the reference code.
    case cold
    /// The output of the layer without the edit.
    case warm
  }

  /// Where the training starts.
  public var start: Start
  /// The learning rate of Adam.
  public var learningRate: Double
  /// The largest number of steps.
  public var iterations: Int
  /// Training stops when every token of the answer is the most likely and the loss is below this value; nil runs all
  /// iterations.
  public var stopLoss: Double?
  /// The seed of the random start.
  public var seed: UInt64

  /// - Parameters:
  ///   - start: where the training starts.
  ///   - learningRate: the learning rate of Adam.
  ///   - iterations: the largest number of steps.
  ///   - stopLoss: the loss at which training ends early; nil runs all iterations.
  ///   - seed: the seed of the random start.
  public init(
    start: Start = .cold, learningRate: Double = 1, iterations: Int = 50, stopLoss: Double? = nil, seed: UInt64 = 0
  ) {
    self.start = start
    self.learningRate = learningRate
    self.iterations = iterations
    self.stopLoss = stopLoss
    self.seed = seed
  }

  /// A prompt for which the value is trained: the layer's outputs of `rows` are replaced by it.
  public struct Context: Sendable {
    /// The tokens of the prompt.
    public var prompt: [Int]
    /// The tokens whose layer outputs are replaced.
    public var rows: Range<Int>

    /// A prompt with the rows that are replaced in it.
    public init(prompt: [Int], rows: Range<Int>) {
      self.prompt = prompt
      self.rows = rows
    }
  }

  /// A trained value.
  public struct Result: Sendable {
    /// The value, `[rows, outputs]`, or `[1, outputs]` if all rows share it.
    public var value: Tensor
    /// The cross entropy per token before each step.
    public var losses: [Double]
    /// Whether every token of the answer is the most likely one after the preceding tokens.
    public var isRight: Bool
  }

  /// Trains the value that makes the model answer with `answer`.
  ///
  /// Only the layers from `layer` up and the rows from the first replaced row on are run. Keys, values or states of the
  /// rest of the prompt are computed once.
  ///
  /// - Parameters:
  ///   - model: the model that is edited.
  ///   - layer: the name of the edited layer.
  ///   - contexts: at least one prompt; their `rows` have equal lengths unless `isShared`.
  ///   - answer: the tokens of the answer with its end token.
  ///   - isShared: whether all rows share one row of the value.
  ///   - initial: the initial value in place of ``start``.
  public func run(
    _ model: any TrainableModel, layer: String, contexts: [Context], answer: [Int], isShared: Bool = false,
    initial: Tensor? = nil
  ) throws -> Result {
    let sequences = contexts.map { context in
      SuffixSequence(tokens: context.prompt + answer.dropLast(), first: context.rows.lowerBound)
    }
    guard let suffix = model.suffix(sequences, at: layer) else {
      throw EditError("the model has no layer \(layer); its layers have names like \(model.linearNames.first ?? "?")")
    }
    var replaced: [Int] = [], read: [Int] = []
    for (context, span) in zip(contexts, suffix.spans) {
      replaced += context.rows.map { span.lowerBound + $0 - context.rows.lowerBound }
      let last = span.lowerBound + context.prompt.count - 1 - context.rows.lowerBound
      read += last..<last + answer.count
    }
    let targets = contexts.flatMap { _ in answer }
    let rowCount = isShared ? 1 : contexts[0].rows.count
    var value = initial ?? start(suffix, rows: Array(replaced.prefix(rowCount)), read: read, model: model, layer: layer)
    var optimizer = Optimizer(.adam(learningRate: learningRate))
    var losses: [Double] = []
    let copies = contexts.reduce(0) { $0 + $1.rows.count } / rowCount
    for step in 1...max(1, iterations + 1) {
      var isRight = false
      let (loss, gradients) = valueAndGradient(at: [value]) { variables in
        let all = copies == 1 ? variables[0] : concatenated([Tensor](repeating: variables[0], count: copies))
        let logits = suffix.logits(rows: read, wrapper: ReplacedRows(rows: replaced, values: all))
        isRight = logits.rowMaxima == targets
        return crossEntropy(logits, targets: targets)
      }
      losses.append(loss.scalar)
      if step > iterations || (isRight && loss.scalar < stopLoss ?? -1) || !loss.scalar.isFinite {
        return Result(value: value, losses: losses, isRight: isRight)
      }
      optimizer.update(&value, gradient: gradients[0])
    }
    return Result(value: value, losses: losses, isRight: false)
  }

  private func start(
    _ suffix: any ModelSuffix, rows: [Int], read: [Int], model: any TrainableModel, layer: String
  ) -> Tensor {
    switch start {
    case .cold:
      let outputs = model.linear(named: layer)?.weight.outputs ?? 0
      return uniform([rows.count, outputs], from: 0, to: 1, random: RandomSource(seed: seed))
    case .warm:
      let record = LayerRecord()
      _ = suffix.logits(rows: [read[0]], wrapper: record)
      return record.output?.gatherRows(rows) ?? .zeros([rows.count, 0])
    }
  }
}

/// A layer whose outputs of some rows are given.
struct ReplacedRows: LinearWrapper {
  let rows: [Int]
  /// `[rows.count, outputs]`
  let values: Tensor

  func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    output.replacingRows(rows, with: values)
  }
}

/// Keeps what a layer received and answered in the last pass.
///
/// `@unchecked Sendable`: the code that makes one runs the pass and reads it afterwards, on one thread.
final class LayerRecord: LinearWrapper, @unchecked Sendable {
  private(set) var input: Tensor?
  private(set) var output: Tensor?

  func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    self.input = input
    self.output = output
    return output
  }
}

extension TrainableModel {
  /// What `layer` receives at the last token, `[inputs]`.
  package func key(_ tokens: [Int], layer: String) -> [Float] {
    let record = LayerRecord()
    _ = wrapping(layer, with: record).hidden(Batch(tokens, state: makeState()))
    guard let input = record.input else { return [] }
    return input.rows(input.rows - 1..<input.rows).values
  }
}

extension Tensor {
  /// The place of each row's largest value.
  package var rowMaxima: [Int] {
    withFloats { values in
      (0..<rows).map { row in
        let row = values[row * columns..<(row + 1) * columns]
        var best = row.startIndex
        for index in row.indices where row[index] > row[best] { best = index }
        return best - row.startIndex
      }
    }
  }
}
