import Foundation
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

/// Trains a model step by step. A step depends only on the settings, the data and the step number, and not on the
/// number of threads or on interruptions of the run.
public struct Trainer {
  /// The current model.
  public private(set) var model: any TrainableModel
  /// The settings.
  public let settings: TrainingSettings
  /// The optimiser with its moments.
  public private(set) var optimizer: Optimizer
  /// The sampler of batches.
  public private(set) var sampler: BatchSampler
  /// The number of steps made.
  public private(set) var step = 0
  /// The number of rows that have counted in the loss so far.
  public private(set) var countedRows = 0
  private let validation: TrainingData
  private let groups: [ParameterGroup]
  private let isTrained: @Sendable (String) -> Bool
  /// The trained parameters before the first step; nil if the whole model is trained.
  private let initial: [Tensor]?
  private var skippedInARow = 0
  /// Steps in a row that may have a loss that is not finite before the run ends.
  private static let mostSkipped = 5

  /// - Parameters:
  ///   - model: the model, with adapters or start states already added if the settings train those; its other
  ///     parameters are then frozen.
  ///   - settings: the settings of the run.
  ///   - training: the training data, at least one example.
  ///   - validation: the validation data, which may be empty.
  public init(
    _ model: any TrainableModel, settings: TrainingSettings, training: TrainingData, validation: TrainingData
  ) throws {
    try training.check(vocabularySize: model.description.vocabularySize)
    try validation.check(vocabularySize: model.description.vocabularySize)
    guard !training.examples.isEmpty else { throw TrainingError("the data contains no example") }
    try RowWeighting.check(settings.taskShares, tasks: training.tasks + validation.tasks)
    self.model = model
    self.settings = settings
    self.validation = validation
    let adaptersOnly = settings.adapters != nil, statesOnly = settings.tunesStartStates
    // By their names: the model must not be held, or a second copy of its weights would live as long as the training.
    let states = Set(
      model.parameters.map(\.name).filter { (model as? any StartStateModel)?.isStartState($0) ?? false })
    isTrained = { adaptersOnly ? $0.contains(".lora_") : statesOnly ? states.contains($0) : true }
    let trained = model.parameters(where: isTrained)
    guard !trained.isEmpty else { throw TrainingError("the model has none of the parameters that are to be trained") }
    initial = adaptersOnly || statesOnly ? trained.map(\.value) : nil
    let defaults = model.description.defaults
    groups = trained.map {
      ParameterGroup.standard($0.name, $0.value.shape, learningRateFactor: defaults.learningRateFactor(of: $0.name))
    }
    optimizer = Optimizer(settings.optimizer)
    sampler = BatchSampler(training, seed: settings.seed)
    let precision = settings.precision
    self.model.visitLinears { _, linear in linear.precision = precision }
  }

  /// The parameters that are trained and saved in checkpoints.
  public var trainedParameters: [(name: String, value: Tensor)] { model.parameters(where: isTrained) }

  /// Continues from a checkpoint.
  mutating func restore(
    parameters: [Tensor], optimizer: Optimizer, step: Int, countedRows: Int, position: BatchSampler.Position,
    training: TrainingData
  ) {
    put(parameters)
    self.optimizer = optimizer
    sampler = BatchSampler(training, seed: settings.seed, position: position)
    self.step = step
    self.countedRows = countedRows
  }

  /// Makes one step of the optimiser.
  /// - Throws: ``TrainingError`` if the loss has not been finite for several steps.
  public mutating func train() throws -> StepReport {
    let batches = (0..<settings.accumulation).map { _ in
      sampler.next(rows: settings.batch * settings.context)
    }
    let counted = batches.reduce(0) { $0 + $1.countedRows }
    let rate = settings.optimizer.learningRate * settings.schedule.share(at: step)
    var report = StepReport(
      step: step + 1, loss: 0, gradientNorm: 0, learningRate: rate, countedRows: counted,
      rows: batches.reduce(0) { $0 + $1.inputs.count }, epoch: sampler.position.epoch, isSkipped: false)
    let (loss, gradients) = lossAndGradients(batches)
    report.loss = loss
    step += 1
    let norm = Optimizer.globalNorm(gradients)
    report.gradientNorm = norm
    guard loss.isFinite, norm.isFinite else {
      // Parameters and moments are unchanged.
      report.isSkipped = true
      skippedInARow += 1
      if skippedInARow >= Self.mostSkipped {
        throw TrainingError(
          "the loss was not a finite number for \(skippedInARow) steps in a row (steps \(step - skippedInARow + 1) to \(step)); the parameters are those from before these steps. Lower --learning-rate, or look at the data with --show-batch"
        )
      }
      return report
    }
    skippedInARow = 0
    countedRows += counted
    optimizer.update(&model, gradients: gradients, groups: groups, learningRate: rate, norm: norm, where: isTrained)
    model.prepareForInference()
    return report
  }

  private func lossAndGradients(_ batches: [TrainingBatch]) -> (Double, [Tensor]) {
    let weighting = RowWeighting(batches, taskShares: settings.taskShares)
    var loss = 0.0
    var sums: [Tensor] = []
    for (place, batch) in batches.enumerated() where batch.countedRows > 0 {
      let (value, gradients) = model.valueAndGradient(where: isTrained) { model in
        self.loss(of: batch, model, weighting, dropoutPlace: place)
      }
      loss += value.scalar
      sums = sums.isEmpty ? gradients : zip(sums, gradients).map { $0 + $1 }
    }
    // Of a step in which no row counts there is nothing to learn.
    return (loss, sums.isEmpty ? trainedParameters.map { .zeros($0.value.shape, dtype: $0.value.dtype) } : sums)
  }

  private func loss(
    of batch: TrainingBatch, _ model: any TrainableModel, _ weighting: RowWeighting, dropoutPlace: Int
  ) -> Tensor {
    var model = model
    if let rate = settings.adapters?.dropout, rate > 0 {
      let source = RandomSource(seed: settings.seed).stream("dropout").stream(step).stream(dropoutPlace)
      model.visitLinears { name, linear in
        guard var adapter = linear.wrapper as? LowRankAdapter else { return }
        adapter.dropoutSource = source.stream(name)
        linear.wrapper = adapter
      }
    }
    return Trainer.loss(
      model, batch, weights: weighting.weights(of: batch), total: weighting.total,
      checkpointing: settings.checkpointsGradients, labelSmoothing: settings.labelSmoothing,
      logitPenalty: settings.logitPenalty)
  }

  /// The weighted loss of the rows that count, divided by `total`; logits are computed for them alone.
  private static func loss(
    _ model: any TrainableModel, _ batch: TrainingBatch, weights: [Double], total: Double, checkpointing: Bool,
    labelSmoothing: Double, logitPenalty: Double
  ) -> Tensor {
    let counting = batch.weights.indices.filter { batch.weights[$0] > 0 }
    let all = counting.count == batch.weights.count
    let logits = model.logits(
      batch.inputs, spans: batch.spans, rows: all ? nil : counting, checkpointing: checkpointing)
    return crossEntropy(
      logits, targets: all ? batch.targets : counting.map { batch.targets[$0] },
      weights: all ? weights : counting.map { weights[$0] }, total: total,
      labelSmoothing: labelSmoothing, logitPenalty: logitPenalty)
  }

  /// The mean loss over all validation examples; nil if there are none.
  public func validate() -> Double? {
    meanLoss(of: model, over: validation)
  }

  /// The mean loss over some of the examples before the first step and now; nil if the whole model is trained or no row
  /// counts.
  public func gain(over training: TrainingData, rows: Int = 1024) -> (before: Double, after: Double)? {
    guard let initial else { return nil }
    var untrained = self
    untrained.put(initial)
    guard let before = meanLoss(of: untrained.model, over: training, rows: rows),
      let after = meanLoss(of: model, over: training, rows: rows)
    else { return nil }
    return (before, after)
  }

  /// - Parameter most: ends after about so many rows.
  private func meanLoss(of model: any TrainableModel, over data: TrainingData, rows most: Int = .max) -> Double? {
    guard !data.examples.isEmpty else { return nil }
    var sampler = BatchSampler(data, seed: 0, isShuffled: false)
    var batches: [TrainingBatch] = [], computed = 0
    while sampler.position.epoch == 0, sampler.position.dealt < data.groups.count, computed < most {
      let batch = sampler.next(rows: min(most, settings.batch * settings.context), wraps: false)
      computed += batch.inputs.count
      batches.append(batch)
    }
    let weighting = RowWeighting(batches, taskShares: settings.taskShares)
    guard weighting.total > 0 else { return nil }
    var total = 0.0
    for batch in batches where batch.countedRows > 0 {
      total +=
        Trainer.loss(
          model, batch, weights: weighting.weights(of: batch), total: 1, checkpointing: false, labelSmoothing: 0,
          logitPenalty: 0
        ).scalar
    }
    return total / weighting.total
  }

  private mutating func put(_ parameters: [Tensor]) {
    model.replaceParameters(parameters, where: isTrained)
    model.prepareForInference()
  }
}
