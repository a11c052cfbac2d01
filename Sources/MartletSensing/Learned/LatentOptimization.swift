import MartletTensor

/// Steps down the gradient of an error with respect to a latent vector: `z ← project(z - exp(a) dE/dz)`
/// (Wu, Rosca and Lillicrap, 2019, algorithm 1; the released code, `optimise_and_sample`).
public struct LatentOptimization: Sendable {
  /// Where a latent vector is put back to after each step.
  public enum Projection: String, Sendable, Codable, CaseIterable {
    /// To the unit sphere.
    case norm
    /// Each entry to -1...1.
    case clip
  }

  /// The number of steps.
  public var steps: Int
  /// Where a latent vector is put back to.
  public var projection: Projection
  /// The damping `beta` of a natural gradient: the step is `g / (beta + ||g||²)` for each row in place of `g` (LOGAN; Wu et al., 2019, with
  /// the empirical Fisher matrix `g gᵀ + beta I`, whose inverse times `g` that is). nil for the gradient itself.
  public var damping: Double?
  /// Whether the gradient of a later loss flows through the steps themselves, which takes second derivatives. Without it a model learns
  /// clearly worse; the setting is there to show that.
  public var isExact: Bool

  /// Steps of latent optimisation.
  public init(steps: Int = 3, projection: Projection = .norm, damping: Double? = nil, isExact: Bool = true) {
    self.steps = steps
    self.projection = projection
    self.damping = damping
    self.isExact = isExact
  }

  /// The latent vectors where the projection puts them.
  public func project(_ z: Tensor) -> Tensor {
    switch projection {
    case .norm: z / sqrt(z.squared.sum(axes: [1], keepingAxes: true))
    case .clip: clamp(z, from: -1, to: 1)
    }
  }

  /// The latent vectors from the projected start to the last step: `steps + 1` tensors `[rows, latents]`.
  ///
  /// - Parameters:
  ///   - start: `[rows, latents]`, not yet projected.
  ///   - logStep: `a`, the logarithm of the step size, of shape `[]`.
  ///   - error: the scalar that is made smaller. The sum over rows gives every row its own gradient, the mean a gradient that is divided
  ///     by the number of rows.
  public func path(from start: Tensor, logStep: Tensor, error: (Tensor) -> Tensor) -> [Tensor] {
    var path = [project(start)]
    for step in 0..<steps {
      let z = path[step].isRecorded ? path[step] : path[step].variable()
      let slope = gradients(of: error(z), withRespectTo: [z], createGraph: isExact)[0]
      path.append(project(z - exp(logStep) * direction(isExact ? slope : slope.detached())))
    }
    return path
  }

  private func direction(_ slope: Tensor) -> Tensor {
    guard let damping else { return slope }
    return slope / (slope.squared.sum(axes: [1], keepingAxes: true) + damping)
  }
}
