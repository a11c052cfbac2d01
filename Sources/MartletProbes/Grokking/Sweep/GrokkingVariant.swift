/// What is tried against AdamW in a sweep.
public enum GrokkingVariant: String, Sendable, Codable, CaseIterable {
  /// Grokfast-EMA (Lee et al., 2024).
  case grokfast
  /// StableMax instead of the softmax (Prieto et al., 2025).
  case stablemax
  /// Gradients without their component along the weights (Prieto et al., 2025), with weight decay.
  case orthogonal
  /// The same without weight decay, as it was published.
  case orthogonalWithoutDecay = "orthogonal-without-decay"
}

/// One cell of a sweep: AdamW at a learning rate and a weight decay, plain or with a variant.
public struct GrokkingConfiguration: Sendable, Equatable {
  /// The learning rate and the decoupled weight decay.
  public var learningRate, weightDecay: Double
  /// What differs from plain AdamW; nil for a baseline.
  public var variant: GrokkingVariant?

  /// A configuration; one without decay has a weight decay of 0.
  public init(learningRate: Double, weightDecay: Double, variant: GrokkingVariant? = nil) {
    self.learningRate = learningRate
    self.weightDecay = variant == .orthogonalWithoutDecay ? 0 : weightDecay
    self.variant = variant
  }

  /// A name for folders, such as `grokfast-lr-0.003-decay-2`.
  public var name: String {
    let method =
      switch variant {
      case nil: "adamw"
      case .orthogonal, .orthogonalWithoutDecay: "orthogonal"
      case let variant?: variant.rawValue
      }
    return "\(method)-lr-\(Self.text(learningRate))-decay-\(Self.text(weightDecay))"
  }

  /// A name for people, such as `Grokfast-EMA, lr 0.003, decay 2`.
  public var title: String {
    let method =
      switch variant {
      case nil: "AdamW"
      case .grokfast: "Grokfast-EMA"
      case .stablemax: "StableMax"
      case .orthogonal, .orthogonalWithoutDecay: "Orthogonal gradients"
      }
    return "\(method), lr \(Self.text(learningRate)), decay \(Self.text(weightDecay))"
  }

  /// The settings of a run.
  ///
  /// - Parameters:
  ///   - common: what all runs of the sweep share. Its Grokfast amplification is that of Grokfast's runs; 0 stands for
  ///     2, the paper's.
  ///   - seed: the seed of the run.
  public func settings(_ common: GrokkingSettings, seed: UInt64) -> GrokkingSettings {
    var settings = common
    settings.seed = seed
    settings.learningRate = learningRate
    settings.weightDecay = weightDecay
    let amplification = common.grokfastAmplification > 0 ? common.grokfastAmplification : 2
    settings.grokfastAmplification = variant == .grokfast ? amplification : 0
    settings.loss = variant == .stablemax ? .stablemax : .softmax
    settings.isOrthogonal = variant == .orthogonal || variant == .orthogonalWithoutDecay
    return settings
  }

  /// A number as short as it can be written: 2 instead of 2.0.
  private static func text(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }
}
