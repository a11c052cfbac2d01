import MartletLayers
import MartletOptimization
import MartletTensor

/// Trains deep compressed sensing by Adam.
public struct DeepCompressedSensingTrainer: Sendable {
  /// What each part learns from.
  public enum Objective: String, Sendable, Codable, CaseIterable {
    /// Everything learns from the sum of both losses, as in the released code.
    case joint
    /// The generator and the step size learn from the measurement error, the measurement from the isometry alone, as in the paper's
    /// algorithm 2.
    case split
  }

  /// The weights of the losses in their sum.
  public struct Weights: Sendable, Codable, Equatable {
    /// Of the measurement error, of the isometry and of the error of the signals themselves.
    public var measurement = 1.0, isometry = 1.0, image = 0.0

    /// The weights of the method as published: 1, 1 and 0.
    public init() {}

    /// The weights of a model that learns from the signals themselves: 0, 0.1 and 1.
    public static var image: Weights {
      var weights = Weights()
      (weights.measurement, weights.isometry, weights.image) = (0, 0.1, 1)
      return weights
    }
  }

  /// The losses and gradients of a batch.
  public struct Step: Sendable {
    /// The losses before the step.
    public var generatorLoss, isometryLoss, imageLoss: Double
    /// The gradient of every trained parameter, in the order of `model.parameters`.
    public var gradients: [Tensor]
    /// What was made of the signals.
    public var reconstruction: DeepCompressedSensing.Reconstruction
  }

  /// The model.
  public private(set) var model: DeepCompressedSensing
  /// The optimiser.
  public private(set) var optimizer: Optimizer
  /// What each part learns from.
  public let objective: Objective
  /// The weights of the losses.
  public let weights: Weights
  /// What the factors of the generator's products are rounded to where the gradient is written out.
  public let precision: MatrixPrecision

  /// A trainer of a model.
  public init(
    _ model: DeepCompressedSensing, objective: Objective = .joint, weights: Weights = Weights(),
    precision: MatrixPrecision = .f32, optimizer: Optimizer
  ) {
    self.model = model
    self.objective = objective
    self.weights = weights
    self.precision = precision
    self.optimizer = optimizer
  }

  /// The losses of a batch and their gradients. The model stays as it is.
  ///
  /// - Parameters:
  ///   - signals: `[rows, signal]`, values from -1 to 1.
  ///   - start: latent vectors `[rows, latents]`, drawn from the normal distribution.
  public func differentiate(_ signals: Tensor, from start: Tensor) -> Step {
    objective == .joint
      ? writtenOut(signals, from: start) ?? byTape(signals, from: start) : byTape(signals, from: start)
  }

  /// The step by the gradient that is written out; nil where it does not cover the model.
  func writtenOut(_ signals: Tensor, from start: Tensor) -> Step? {
    DeepCompressedSensingGradient(model, signals, from: start, weights: weights, precision: precision).map { result in
      let matrix = model.measurement.isLearnt ? [result.matrix] : []
      return Step(
        generatorLoss: result.generatorLoss, isometryLoss: result.isometryLoss, imageLoss: result.imageLoss,
        gradients: result.generator + matrix + [result.logStep], reconstruction: result.reconstruction)
    }
  }

  /// The step by the tape, for every model.
  func byTape(_ signals: Tensor, from start: Tensor) -> Step {
    let isTrained = model.isTrained
    var losses = (0.0, 0.0, 0.0), made: DeepCompressedSensing.Reconstruction?
    func keep(_ result: (DeepCompressedSensing.Losses, DeepCompressedSensing.Reconstruction)) {
      losses = (result.0.generator.scalar, result.0.isometry.scalar, result.0.image.scalar)
      made = DeepCompressedSensing.Reconstruction(
        path: result.1.path.map { $0.detached() }, signals: result.1.signals.detached())
    }
    func gradient(
      where isChosen: (String) -> Bool, _ loss: (DeepCompressedSensing.Losses) -> Tensor
    ) -> [Tensor] {
      model.valueAndGradient(where: isChosen) { model in
        let result = model.losses(signals, from: start)
        keep(result)
        return loss(result.0)
      }.gradients
    }
    let names = model.parameters(where: isTrained).map(\.name)
    var gradients: [Tensor]
    switch objective {
    case .joint: gradients = gradient(where: isTrained, sum)
    case .split:
      func measures(_ name: String) -> Bool { name.hasPrefix("measurement.") }
      var generator = gradient(where: { !measures($0) }, generatorLoss)[...]
      var measurement = model.measurement.isLearnt ? gradient(where: measures, \.isometry)[...] : []
      gradients = names.map { measures($0) ? measurement.removeFirst() : generator.removeFirst() }
    }
    // Both closures have run, so there is a reconstruction.
    let reconstruction = made ?? DeepCompressedSensing.Reconstruction(path: [], signals: signals)
    return Step(
      generatorLoss: losses.0, isometryLoss: losses.1, imageLoss: losses.2, gradients: gradients,
      reconstruction: reconstruction)
  }

  private func generatorLoss(_ losses: DeepCompressedSensing.Losses) -> Tensor {
    let error = losses.generator * weights.measurement
    return weights.image == 0 ? error : error + losses.image * weights.image
  }

  private func sum(_ losses: DeepCompressedSensing.Losses) -> Tensor {
    weights.isometry == 0 ? generatorLoss(losses) : generatorLoss(losses) + losses.isometry * weights.isometry
  }

  /// Makes one step of training.
  /// - Returns: the losses before it.
  @discardableResult
  public mutating func train(_ signals: Tensor, from start: Tensor) -> Step {
    let step = differentiate(signals, from: start)
    // Names, as `model.isTrained` would hold the memory that is written.
    let trained = Set(model.parameters(where: model.isTrained).map(\.name))
    optimizer.update(&model, gradients: step.gradients, where: trained.contains)
    return step
  }
}
