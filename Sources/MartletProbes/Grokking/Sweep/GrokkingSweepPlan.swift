/// What a sweep compares: a grid of plain AdamW, and variants at the untuned and at the best setting of the grid, each
/// with several seeds.
public struct GrokkingSweepPlan: Sendable {
  /// What all runs share. Its learning rate and weight decay are those of the untuned baseline, its seed is the first.
  public var common = GrokkingSettings()
  /// The learning rates of the grid.
  public var learningRates = [1e-3, 3e-3]
  /// The weight decays of the grid.
  public var weightDecays = [1.0, 2]
  /// What is tried against AdamW.
  public var variants = GrokkingVariant.allCases
  /// The number of seeds of each configuration.
  public var seedCount = 3

  /// The sweep of the published figures.
  public init() {}

  /// The seeds; the same for each configuration, which therefore begin with the same parameters and pairs.
  public var seeds: [UInt64] { (0..<UInt64(max(1, seedCount))).map { common.seed &+ $0 } }

  /// The test accuracies whose first step is told: those up to where runs end.
  public var accuracies: [Double] {
    let usual = [0.5, 0.9, 0.95, 0.99].filter { $0 <= common.target }
    return usual.isEmpty ? [common.target] : usual
  }

  /// AdamW at the setting that nobody tuned.
  public var untuned: GrokkingConfiguration {
    GrokkingConfiguration(learningRate: common.learningRate, weightDecay: common.weightDecay)
  }

  /// Plain AdamW at the untuned setting and at every cell of the grid.
  public var baselines: [GrokkingConfiguration] {
    var found = [untuned]
    for rate in learningRates {
      for decay in weightDecays {
        let cell = GrokkingConfiguration(learningRate: rate, weightDecay: decay)
        if !found.contains(cell) { found.append(cell) }
      }
    }
    return found
  }

  /// The variants at the setting of a baseline.
  public func variants(at baseline: GrokkingConfiguration) -> [GrokkingConfiguration] {
    variants.reduce(into: []) { found, variant in
      let cell = GrokkingConfiguration(
        learningRate: baseline.learningRate, weightDecay: baseline.weightDecay, variant: variant)
      if !found.contains(where: { $0.name == cell.name }) { found.append(cell) }
    }
  }

  /// All configurations that are to be run, once the best baseline is known: baselines first, then variants.
  public func configurations(best: GrokkingConfiguration?) -> [GrokkingConfiguration] {
    withBaselines(variants(at: untuned) + (best.map { variants(at: $0) } ?? []))
  }

  /// All configurations that may have been run, whichever baseline was the best before the plan grew.
  var possibleConfigurations: [GrokkingConfiguration] { withBaselines(baselines.flatMap { variants(at: $0) }) }

  private func withBaselines(_ tried: [GrokkingConfiguration]) -> [GrokkingConfiguration] {
    tried.reduce(into: baselines) { all, cell in
      if !all.contains(where: { $0.name == cell.name }) { all.append(cell) }
    }
  }

  /// The number of runs, as many as there can be before the best baseline is known.
  var mostRuns: Int {
    let other = baselines.first { $0 != untuned }
    return configurations(best: other).count * seeds.count
  }
}
