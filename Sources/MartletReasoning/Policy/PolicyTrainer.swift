import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTraining

/// What a step of a policy was, for metrics and progress.
public struct PolicyStepReport: Sendable, Equatable {
  /// The number of the step, counted from 1.
  public var step: Int
  /// The loss, of the last update if there are several.
  public var loss = 0.0
  /// The mean reward of the answers, and the share of those that are right; nil where no answer was written.
  public var reward, correctShare: Double?
  /// The number of completions and of their tokens that were learnt from.
  public var completions = 0, tokens = 0
  /// The share of answers that ended of themselves.
  public var completeShare: Double?
  /// The mean divergence from the reference at each token; nil where it is not computed.
  public var divergence: Double?
  /// The share of tokens whose ratio of probabilities was limited.
  public var clippedShare: Double?
  /// The share of pairs that the policy ranks as given; of DPO alone.
  public var rankedShare: Double?
  /// The global norm of the gradients before clipping.
  public var gradientNorm = 0.0
  /// The learning rate.
  public var learningRate: Double
  /// Whether nothing was changed, because there was nothing to learn or the loss was not finite.
  public var isSkipped = false

  init(step: Int, learningRate: Double) {
    self.step = step
    self.learningRate = learningRate
  }
}

/// A pair of completions of a prompt.
public struct PolicyPair: Sendable, Equatable {
  /// The tokens of the prompt, of the better completion and of the worse one.
  public var prompt, chosen, rejected: [Int]
}

/// Updates a policy step by step. An update depends only on the settings, the parameters and what is learnt from, and not on the number
/// of threads or on interruptions of the run.
public struct PolicyTrainer {
  /// The current policy.
  public private(set) var model: any TrainableModel
  /// The settings.
  public let settings: PolicySettings
  /// The optimiser with its moments.
  public private(set) var optimizer: Optimizer
  /// The number of steps made.
  public private(set) var step = 0
  /// The policy before its first step, where an objective compares with it.
  private let reference: (any TrainableModel)?
  /// The model whose distributions are approached, of GKD.
  private let teacher: (any TrainableModel)?
  private let groups: [ParameterGroup]
  private let isTrained: @Sendable (String) -> Bool
  private var skippedInARow = 0
  private static let mostSkipped = 5

  /// - Parameters:
  ///   - model: the policy before its first step, with the adapters of the settings; its other parameters are then frozen.
  ///   - settings: the settings.
  ///   - teacher: the teacher of GKD.
  /// - Throws: ``TeachingError`` without a teacher that is needed, or with one of another vocabulary.
  public init(_ model: any TrainableModel, settings: PolicySettings, teacher: (any TrainableModel)? = nil) throws {
    if settings.method == .gkd {
      guard let teacher else { throw TeachingError("gkd needs a teacher; name its model with --teacher") }
      let (size, own) = (teacher.description.vocabularySize, model.description.vocabularySize)
      guard size == own else {
        throw TeachingError(
          "the teacher has a vocabulary of \(size) tokens, the student one of \(own); gkd compares distributions over the same tokens, so choose a teacher of the student's family"
        )
      }
    }
    self.model = model
    self.settings = settings
    self.teacher = teacher
    let adaptersOnly = settings.adapters != nil
    isTrained = { !adaptersOnly || $0.contains(".lora_") }
    let defaults = model.description.defaults
    groups = model.parameters(where: isTrained).map {
      ParameterGroup.standard($0.name, $0.value.shape, learningRateFactor: defaults.learningRateFactor(of: $0.name))
    }
    guard !groups.isEmpty else { throw TeachingError("the model has none of the parameters that are to be trained") }
    optimizer = Optimizer(settings.optimizer)
    let comparesWithReference =
      settings.method == .dpo || settings.method == .grpo && settings.groupRelative.klWeight > 0
    reference = comparesWithReference ? model : nil
  }

  /// The parameters that are trained and saved in checkpoints.
  public var trainedParameters: [(name: String, value: Tensor)] { model.parameters(where: isTrained) }

  /// Continues from a checkpoint.
  mutating func restore(parameters: [Tensor], optimizer: Optimizer, step: Int) {
    model.replaceParameters(parameters, where: isTrained)
    model.prepareForInference()
    self.optimizer = optimizer
    self.step = step
  }

  private func newReport() -> PolicyStepReport {
    PolicyStepReport(
      step: step + 1, learningRate: settings.optimizer.learningRate * settings.schedule.share(at: step))
  }

  // MARK: GRPO

  /// A step from rewarded answers, grouped by their questions.
  /// - Throws: ``TeachingError`` if the loss has not been finite for several steps.
  public mutating func train(groups answers: [[PolicyAnswer]]) throws -> PolicyStepReport {
    let objective = settings.groupRelative
    var report = newReport()
    let written = answers.map { $0.filter { !$0.completion.isEmpty } }
    let weights = objective.tokenWeights(
      lengths: written.flatMap { $0.map(\.completion.count) }, longest: settings.maxTokens)
    var items: [(answer: PolicyAnswer, advantage: Double, weight: Double)] = []
    var place = 0
    for group in written {
      for (answer, advantage) in zip(group, objective.advantages(rewards: group.map(\.reward))) {
        // Without a divergence an answer that is as good as its group changes nothing.
        if advantage != 0 || objective.klWeight > 0 { items.append((answer, advantage, weights[place])) }
        place += 1
      }
    }
    let parts = passes(items, rows: { $0.answer.prompt.count + $0.answer.completion.count }).map { items in
      var batch = CompletionBatch()
      for item in items { batch.append(prompt: item.answer.prompt, completion: item.answer.completion) }
      func spread(_ value: (Int) -> Double) -> [Double] {
        batch.completions.indices.flatMap { [Double](repeating: value($0), count: batch.completions[$0].count) }
      }
      return GroupPart(
        batch: batch, advantages: spread { items[$0].advantage }, weights: spread { items[$0].weight },
        old: settings.updates > 1 ? scores(batch, by: model) : nil,
        reference: reference.map { scores(batch, by: $0) })
    }
    report.completions = items.count
    report.tokens = parts.reduce(0) { $0 + $1.batch.targets.count }
    let tokens = Double(max(1, report.tokens))
    for _ in 0..<settings.updates {
      var divergence = 0.0, clipped = 0
      try update(parts, &report) { [settings] model, part in
        let current = part.batch.logProbabilities(
          by: model, temperature: settings.temperature, checkpointing: settings.checkpointsGradients)
        let old = part.old ?? current.detached()
        if let reference = part.reference {
          divergence += GroupRelativeObjective.divergence(current.detached(), from: reference).sum().scalar
        }
        if let before = part.old {
          let ratios = exp(current.detached() - before).doubleValues
          clipped += zip(ratios, part.advantages).count { ratio, advantage in
            advantage > 0 ? ratio > 1 + objective.clipHigh : advantage < 0 && ratio < 1 - objective.clipLow
          }
        }
        return objective.loss(
          current, old: old, reference: part.reference, advantages: part.advantages, weights: part.weights)
      }
      if reference != nil { report.divergence = divergence / tokens }
      if settings.updates > 1 { report.clippedShare = Double(clipped) / tokens }
    }
    step += 1
    return report
  }

  private struct GroupPart {
    var batch: CompletionBatch
    var advantages, weights: [Double]
    var old, reference: Tensor?
  }

  private func scores(_ batch: CompletionBatch, by model: any TrainableModel) -> Tensor {
    batch.logProbabilities(by: model, temperature: settings.temperature)
  }

  // MARK: DPO

  /// A step from pairs of completions.
  /// - Throws: ``TeachingError`` if the loss has not been finite for several steps.
  public mutating func train(pairs: [PolicyPair]) throws -> PolicyStepReport {
    var report = newReport()
    let objective = settings.preference
    let parts = passes(pairs, rows: { 2 * $0.prompt.count + $0.chosen.count + $0.rejected.count }).map { pairs in
      var batch = CompletionBatch()
      for pair in pairs { batch.append(prompt: pair.prompt, completion: pair.chosen) }
      for pair in pairs { batch.append(prompt: pair.prompt, completion: pair.rejected) }
      let sums = reference.map { batch.sums(batch.logProbabilities(by: $0)) }
      return PairPart(batch: batch, count: pairs.count, reference: sums)
    }
    report.completions = 2 * pairs.count
    report.tokens = parts.reduce(0) { $0 + $1.batch.targets.count }
    for _ in 0..<settings.updates {
      var ranked = 0
      try update(parts, &report) { [settings] model, part in
        let sums = part.batch.sums(
          part.batch.logProbabilities(by: model, checkpointing: settings.checkpointsGradients))
        let reference = part.reference ?? sums.detached()
        let margins = objective.margins(
          chosen: sums.rows(0..<part.count), rejected: sums.rows(part.count..<2 * part.count),
          referenceChosen: reference.rows(0..<part.count),
          referenceRejected: reference.rows(part.count..<2 * part.count))
        ranked += margins.detached().doubleValues.count { $0 > 0 }
        return objective.losses(margins: margins).sum() / Double(pairs.count)
      }
      report.rankedShare = pairs.isEmpty ? nil : Double(ranked) / Double(pairs.count)
    }
    step += 1
    return report
  }

  private struct PairPart {
    var batch: CompletionBatch
    var count: Int
    var reference: Tensor?
  }

  // MARK: GKD

  /// A step from completions on which the teacher's distributions are approached.
  /// - Throws: ``TeachingError`` if the loss has not been finite for several steps.
  public mutating func train(distilling completions: [(prompt: [Int], completion: [Int])]) throws -> PolicyStepReport {
    var report = newReport()
    guard let teacher else { throw TeachingError("gkd needs a teacher; name its model with --teacher") }
    let objective = settings.distillation
    let used = completions.filter { !$0.completion.isEmpty }
    let parts = passes(used, rows: { $0.prompt.count + $0.completion.count }).map { items in
      var batch = CompletionBatch()
      for item in items { batch.append(prompt: item.prompt, completion: item.completion) }
      return batch
    }
    report.completions = used.count
    report.tokens = parts.reduce(0) { $0 + $1.targets.count }
    let tokens = Double(max(1, report.tokens))
    for _ in 0..<settings.updates {
      try update(parts, &report) { [settings] model, batch in
        let student = batch.logits(of: model, checkpointing: settings.checkpointsGradients)
        return objective.divergences(student: student, teacher: batch.logits(of: teacher)).sum() / tokens
      }
    }
    report.divergence = report.loss
    step += 1
    return report
  }

  // MARK: What all methods do

  /// Parts of at most ``PolicySettings/passRows`` rows, at least one item each.
  private func passes<Item>(_ items: [Item], rows: (Item) -> Int) -> [[Item]] {
    var parts: [[Item]] = [], filled = 0
    for item in items {
      let count = rows(item)
      if parts.isEmpty || filled + count > settings.passRows {
        parts.append([])
        filled = 0
      }
      parts[parts.count - 1].append(item)
      filled += count
    }
    return parts
  }

  /// One step of the optimiser by the sum of the losses of all parts.
  private mutating func update<Part>(
    _ parts: [Part], _ report: inout PolicyStepReport, loss: (any TrainableModel, Part) -> Tensor
  ) throws {
    guard !parts.isEmpty else {
      report.isSkipped = true
      return
    }
    var value = 0.0, sums: [Tensor] = []
    for part in parts {
      let (partValue, gradients) = model.valueAndGradient(where: isTrained) { loss($0, part) }
      value += partValue.scalar
      sums = sums.isEmpty ? gradients : zip(sums, gradients).map { $0 + $1 }
    }
    report.loss = value
    report.gradientNorm = Optimizer.globalNorm(sums)
    guard value.isFinite, report.gradientNorm.isFinite else {
      report.isSkipped = true
      skippedInARow += 1
      if skippedInARow >= Self.mostSkipped {
        throw TeachingError(
          "the loss was not a finite number in \(skippedInARow) updates in a row; the parameters are those from before. Lower --learning-rate"
        )
      }
      return
    }
    skippedInARow = 0
    optimizer.update(
      &model, gradients: sums, groups: groups, learningRate: report.learningRate, norm: report.gradientNorm,
      where: isTrained)
    model.prepareForInference()
  }
}
