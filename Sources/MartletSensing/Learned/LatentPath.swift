import MartletTensor

/// What a latent vector generates on its way, step by step: how deep compressed sensing and CSGM come from a random start to an image.
public struct LatentPath: Sendable {
  /// One place of the way.
  public struct Step: Sendable {
    /// The number of latent steps made.
    public let number: Int
    /// The generated image, `[height * width]`, with values from 0 to 1.
    public let image: [Double]
    /// `||F(G(z)) - y||²`, by which the steps are taken.
    public let measurementError: Double
  }

  /// From the start to the image that the method gives.
  public let steps: [Step]

  /// The way from measurements to an image.
  /// - Parameters:
  ///   - measurements: `[1, measurements]`, the model's own.
  ///   - model: the model.
  ///   - random: draws the start, as in ``RecoveryModel/reconstruct(_:random:)``.
  /// - Returns: nil for a model without latent vectors.
  public init?(from measurements: Tensor, by model: RecoveryModel, random: RandomSource) {
    switch model {
    case .dcs(let sensing):
      let start = normal([measurements.rows, sensing.generator.inputCount], random: random)
      let path = sensing.reconstruct(measurements, from: start).path
      steps = path.enumerated().map { number, z in
        Self.step(number, sensing.generator(z), measurements) { sensing.measurement($0) }
      }
    case .csgm(let prior, let measurement, let search):
      // The search from the same starts ends wherever its budget does, so shorter searches are its stations.
      let stations = Self.stations(to: search.steps)
      steps = stations.map { count in
        var part = search
        part.steps = count
        let found = part.recover(measurements, by: prior, random: random) { measurement($0) }
        return Self.step(count, found.signals, measurements) { measurement($0) }
      }
    case .regression, .unrolled: return nil
    }
  }

  /// 0, 1, 3, 10, 30 and so on, and the last step.
  private static func stations(to last: Int) -> [Int] {
    var found = [0], power = 1
    while power < last {
      found += [power, 3 * power].filter { $0 < last }
      power *= 10
    }
    return last > 0 ? found + [last] : found
  }

  private static func step(
    _ number: Int, _ signal: Tensor, _ measurements: Tensor, measure: (Tensor) -> Tensor
  ) -> Step {
    let signal = signal.detached()
    return Step(
      number: number, image: clamp(signal, from: -1, to: 1).doubleValues.map { ($0 + 1) / 2 },
      measurementError: (measure(signal) - measurements).squared.sum().detached().scalar)
  }
}
