import MartletTensor

/// A classic method with its settings, as data. ``reconstruction(for:height:width:noise:training:)`` makes the method of it.
public struct ReconstructionSettings: Sendable, Equatable {
  /// The classic methods.
  public enum Method: String, Sendable, CaseIterable {
    /// The best by the number of measurements and what is known: see ``ReconstructionSettings/chosenMethod(for:hasTraining:)``.
    case automatic = "auto"
    /// Least total variation (``TotalVariation``).
    case totalVariation = "tv"
    /// The lasso with momentum (``Lasso``).
    case fista
    /// The lasso without momentum (``Lasso``).
    case ista
    /// Orthogonal matching pursuit (``MatchingPursuit``).
    case matchingPursuit = "omp"
    /// The least sum of absolute coefficients that fits the measurements exactly (``BasisPursuit``).
    case basisPursuit = "basis-pursuit"
    /// The same within the noise (``BasisPursuit``).
    case basisPursuitDenoising = "bpdn"
    /// The least mean squared error of linear methods, from training images (``LinearMeanSquare``).
    case linearMeanSquare = "mmse"
    /// The principal components of training images (``PrincipalSubspace``).
    case principalComponents = "pca"

    /// Whether the plane is sparse in a basis.
    public var hasBasis: Bool {
      switch self {
      case .fista, .ista, .matchingPursuit, .basisPursuit, .basisPursuitDenoising: true
      default: false
      }
    }

    /// Whether steps approach the result.
    public var isIterative: Bool {
      switch self {
      case .totalVariation, .fista, .ista, .basisPursuit, .basisPursuitDenoising: true
      default: false
      }
    }

    /// Whether it cannot be without training images.
    public var needsTraining: Bool { self == .linearMeanSquare || self == .principalComponents }

    /// Whether training images choose how strongly it regularises, or are what it learns from.
    public var usesTraining: Bool {
      needsTraining || self == .fista || self == .ista || self == .matchingPursuit || self == .automatic
    }
  }

  /// The method.
  public var method = Method.totalVariation
  /// Where the plane is sparse.
  public var basis = SparseBasis.db4
  /// The most steps; nil for the method's own number.
  public var iterations: Int?
  /// The relative change of a step below which the steps end; nil for the method's own.
  public var tolerance: Double?
  /// The weight of the lasso; nil for one that fits the noise, or that training images choose.
  public var weight: Double?
  /// The number of coefficients of matching pursuit, or of principal components; nil for a choice by training images.
  public var count: Int?

  /// The settings of a method.
  /// - Parameter method: the method.
  public init(_ method: Method = .totalVariation) { self.method = method }

  /// What `auto` stands for: with training images of the kind below a quarter as many measurements as pixels linear MMSE, else total variation.
  /// The table of Docs/benchmarks/sensing.md is why.
  /// - Parameters:
  ///   - measured: how planes are measured.
  ///   - hasTraining: whether there are training images.
  public func chosenMethod(for measured: any LinearOperator, hasTraining: Bool) -> Method {
    guard method == .automatic else { return method }
    return hasTraining && measured.measurementCount * 4 < measured.signalCount ? .linearMeanSquare : .totalVariation
  }

  /// The method for planes that an operator measured. What is not set is chosen by the noise or on training images, never on the images that are to
  /// be recovered.
  /// - Parameters:
  ///   - measured: how planes are measured.
  ///   - height: the number of rows of a plane.
  ///   - width: the number of columns of a plane.
  ///   - noise: the Euclidean length of the noise of a plane's measurements; 0 for none.
  ///   - training: planes `[height * width]` of the kind that is to be recovered.
  /// - Throws: ``SensingError`` if the method needs training images and there are none of this size.
  public func reconstruction(
    for measured: any LinearOperator, height: Int, width: Int, noise: Double = 0, training: [[Double]] = []
  ) throws -> any Reconstruction {
    let method = chosenMethod(for: measured, hasTraining: !training.isEmpty)
    if method.needsTraining, training.count < 2 {
      throw SensingError("The method \(method.rawValue) learns from training images; give at least two.")
    }
    let choice = TrainingChoice(training, measured: measured, height: height, width: width, noise: noise)
    switch method {
    case .automatic, .totalVariation:
      return TotalVariation(iterations: iterations ?? 300, noise: noise, tolerance: tolerance ?? 1e-4)
    case .fista, .ista:
      var lasso = Lasso(basis: basis, isAccelerated: method == .fista)
      lasso.iterations = iterations ?? lasso.iterations
      lasso.tolerance = tolerance ?? lasso.tolerance
      if let weight {
        lasso.weight = .value(weight)
      } else if !training.isEmpty {
        lasso = try choice.best(
          [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003].map {
            lasso.weight = .share($0)
            return lasso
          })
      } else if noise > 0 {
        lasso.weight = .noise(noise)
      }
      return lasso
    case .matchingPursuit:
      let pursuit = MatchingPursuit(basis: basis, share: noise > 0 ? 1 : 0.25, count: count, noise: noise)
      guard count == nil, !training.isEmpty else { return pursuit }
      return try choice.best([0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5].map { MatchingPursuit(basis: basis, share: $0) })
    case .basisPursuit, .basisPursuitDenoising:
      var pursuit = BasisPursuit(basis: basis, noise: method == .basisPursuit ? 0 : noise)
      pursuit.iterations = iterations ?? pursuit.iterations
      pursuit.tolerance = tolerance ?? pursuit.tolerance
      return pursuit
    case .linearMeanSquare:
      return LinearMeanSquare(try PrincipalComponents(of: training, height: height, width: width), noise: noise)
    case .principalComponents:
      let components = try PrincipalComponents(of: training, height: height, width: width)
      if let count { return PrincipalSubspace(components, count: count) }
      // Chosen on images that the components did not see.
      let parts = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
      let (learning, held) = choice.parts
      guard learning.count > 1 else { return PrincipalSubspace(components, count: measured.measurementCount / 2) }
      let seen = try PrincipalComponents(of: learning, height: height, width: width)
      let limit = min(seen.directions.count, measured.measurementCount)
      let counts = Set(parts.map { max(1, Int(($0 * Double(limit)).rounded())) }).sorted()
      let judged = TrainingChoice(held, measured: measured, height: height, width: width, noise: noise)
      return PrincipalSubspace(
        components, count: try judged.best(counts.map { PrincipalSubspace(seen, count: $0) }, most: 100).count)
    }
  }
}
