import Foundation
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

/// A linear layer whose weight is another: what fine-tuning methods train.
private struct OtherWeight: LinearWrapper {
  /// `[outputs, inputs]`
  let weight: Tensor
  func wrap(_ output: Tensor, input: Tensor) -> Tensor { matmul(input, weight.transposed()) }
}

/// Fine-tuning of the edited layer's weight, with or without a penalty for moving what old edits need (EWC, Kirkpatrick
/// et al., 2017) or training on all edits again from time to time.
///
/// `@unchecked Sendable`: it changes in ``edit(_:label:)`` alone, and the benchmark makes one edit at a time.
public final class FineTuningMethod: EditMethod, @unchecked Sendable {
  public enum Kind: String, Sendable { case plain = "ft", ewc = "ft-ewc", retrain = "ft-retrain" }

  public let name: String
  public private(set) var engine: Engine
  public var keyCount: Int { 0 }
  private let kind: Kind
  private let setting: MethodSetting
  private let model: any TrainableModel
  private let learningRate: Double
  private let iterations: Int
  // Written by the benchmark alone, between answers.
  private var weight: Tensor
  private var past: [(sequence: SuffixSequence, label: [Int])] = []
  /// Squared gradients of the last items, and the weight they were taken at.
  private var fisher: [(Tensor, Tensor)] = []

  public init(_ setting: MethodSetting, kind: Kind, learningRate: Double = 1e-3, iterations: Int = 100) throws {
    let (model, linear) = try setting.prepared()
    self.kind = kind
    self.setting = setting
    self.model = model
    self.learningRate = learningRate
    self.iterations = iterations
    name = kind.rawValue
    switch linear.weight {
    case .dense(let tensor): weight = tensor
    case .packed(let matrix): weight = Tensor(matrix.values, shape: [matrix.outputs, matrix.inputs])
    }
    engine = setting.engine()
    install()
  }

  public func request(_ question: String, limit: Int) throws -> Request { try setting.request(question, limit: limit) }

  private func install() {
    engine = setting.engine(model: model.wrapping(setting.site.layer, with: OtherWeight(weight: weight)))
  }

  public func edit(_ row: EditRow, label: [Int]) async throws -> EditCost? {
    try await EditCost.measure {
      let prompt = try setting.site.format.encode(row.prompt, for: setting.loaded)
      let item = (sequence: SuffixSequence(tokens: prompt + label.dropLast(), first: 0), label: label)
      past.append(item)
      var steps = try train(item)
      if kind == .retrain, past.count % 50 == 0 { for old in past { steps += try train(old) } }
      install()
      return (steps, name)
    }
  }

  /// Steps of Adam until every token of the label is the likeliest.
  private func train(_ item: (sequence: SuffixSequence, label: [Int])) throws -> Int {
    guard let suffix = model.suffix([item.sequence], at: setting.site.layer) else { throw EditError("no such layer") }
    let last = item.sequence.tokens.count - item.label.count
    let rows = Array(last..<last + item.label.count)
    var optimizer = Optimizer(.adam(learningRate: learningRate))
    for step in 1...iterations {
      var isRight = false
      let (_, gradients) = valueAndGradient(at: [weight]) { variables in
        let logits = suffix.logits(rows: rows, wrapper: OtherWeight(weight: variables[0]))
        isRight = logits.rowMaxima == item.label
        var loss = crossEntropy(logits, targets: item.label)
        for (importance, anchor) in fisher { loss = loss + (importance * (variables[0] - anchor).squared).sum() * 0.1 }
        return loss
      }
      if isRight {
        if kind == .ewc {
          fisher.append((gradients[0].squared, weight))
          if fisher.count > 10 { fisher.removeFirst() }
        }
        return step - 1
      }
      optimizer.update(&weight, gradient: gradients[0])
    }
    return iterations
  }
}

/// A gate in front of a second linear layer, or a soft memory, beside the edited layer: GRACE's two baselines that learn
/// when to step in.
///
/// `@unchecked Sendable`: it changes in ``edit(_:label:)`` alone, and the benchmark makes one edit at a time.
public final class SideMethod: EditMethod, @unchecked Sendable {
  public enum Kind: String, Sendable { case `defer`, memory }

  public let name: String
  public private(set) var engine: Engine
  public var keyCount: Int { kind == .memory ? parameters[0].rows : 0 }
  private let kind: Kind
  private let setting: MethodSetting
  private let model: any TrainableModel
  private let iterations: Int
  private let learningRate: Double
  private var parameters: [Tensor]

  /// - Parameters:
  ///   - setting: the model and its format of prompts.
  ///   - kind: what stands beside the layer.
  ///   - learningRate: of every step.
  ///   - iterations: most steps of an edit.
  ///   - memories: soft keys of ``Kind/memory``.
  public init(
    _ setting: MethodSetting, kind: Kind, learningRate: Double = 0.1, iterations: Int = 100, memories: Int = 100
  ) throws {
    let (model, linear) = try setting.prepared()
    self.kind = kind
    self.setting = setting
    self.model = model
    self.iterations = iterations
    self.learningRate = learningRate
    name = kind.rawValue
    let (inputs, outputs) = (linear.weight.inputs, linear.weight.outputs)
    let random = RandomSource(seed: 0)
    let bound = 1 / Double(inputs).squareRoot()
    parameters =
      kind == .defer
      ? [
        uniform([1, inputs], from: -bound, to: bound, random: random.stream("gate")),
        uniform([outputs, inputs], from: -bound, to: bound, random: random.stream("values")),
      ]
      : [
        normal([memories, inputs], deviation: bound, random: random.stream("keys")),
        normal([memories, outputs], deviation: bound, random: random.stream("values")),
      ]
    engine = setting.engine()
    install()
  }

  public func request(_ question: String, limit: Int) throws -> Request { try setting.request(question, limit: limit) }

  private func install() {
    engine = setting.engine(model: model.wrapping(setting.site.layer, with: Side(kind: kind, parameters: parameters)))
  }

  public func edit(_ row: EditRow, label: [Int]) async throws -> EditCost? {
    try await EditCost.measure {
      let prompt = try setting.site.format.encode(row.prompt, for: setting.loaded)
      let sequence = SuffixSequence(tokens: prompt + label.dropLast(), first: 0)
      guard let suffix = model.suffix([sequence], at: setting.site.layer) else { throw EditError("no such layer") }
      let rows = Array(prompt.count - 1..<prompt.count - 1 + label.count)
      var optimizer = Optimizer(.adam(learningRate: learningRate))
      var steps = 0
      for step in 1...iterations {
        var isRight = false
        let (_, gradients) = valueAndGradient(at: parameters) { variables in
          let logits = suffix.logits(rows: rows, wrapper: Side(kind: kind, parameters: variables, isTraining: true))
          isRight = logits.rowMaxima == label
          return crossEntropy(logits, targets: label)
        }
        if isRight { break }
        steps = step
        optimizer.update(&parameters, gradients: gradients)
      }
      install()
      return (steps, name)
    }
  }

  private struct Side: LinearWrapper {
    let kind: Kind
    let parameters: [Tensor]
    var isTraining = false

    func wrap(_ output: Tensor, input: Tensor) -> Tensor {
      switch kind {
      case .defer:
        // [rows, 1]; soft while it learns, a decision at one half when it answers.
        var gate = sigmoid(matmul(input, parameters[0].transposed()))
        if !isTraining { gate = Tensor(gate.values.map { $0 > 0.5 ? 1 : 0 }, shape: gate.shape) }
        return output * (1 - gate) + matmul(input, parameters[1].transposed()) * gate
      case .memory:
        let weights = softmax(matmul(input, parameters[0].transposed()) * (1 / Double(input.columns).squareRoot()))
        return output + matmul(weights, parameters[1])
      }
    }
  }
}

/// The edit whose words are nearest is told to the model in the prompt: what one does without editing.
///
/// `@unchecked Sendable`: it changes in ``edit(_:label:)`` alone, and the benchmark makes one edit at a time.
public final class RetrievalMethod: EditMethod, @unchecked Sendable {
  public let name = "retrieval"
  public let engine: Engine
  private let setting: MethodSetting
  private var facts: [(words: QuestionWords, text: String)] = []

  public init(_ setting: MethodSetting) {
    self.setting = setting
    engine = setting.engine()
  }

  public var keyCount: Int { facts.count }

  public func request(_ question: String, limit: Int) throws -> Request {
    let words = QuestionWords(question)
    let best = facts.map { ($0.text, words.coverage(by: $0.words) + $0.words.coverage(by: words)) }.max { $0.1 < $1.1 }
    guard let best, best.1 >= 1.2 else { return try setting.request(question, limit: limit) }
    return try setting.request(best.0 + "\n\n" + question, limit: limit)
  }

  public func edit(_ row: EditRow, label: [Int]) async throws -> EditCost? {
    await EditCost.measure {
      facts.append((QuestionWords(row.prompt), "Question: \(row.prompt)\nAnswer: \(row.answer)"))
      return (0, name)
    }
  }
}
