import MartletData
import MartletTensor

/// A trained model as a method for measurements that anyone took.
///
/// Measurements by the model's own matrix, or by its first rows, are recovered as the model does. Where another operator took them, a
/// generator (``RecoverySettings/Method/csgm`` and ``RecoverySettings/Method/dcs``) is searched for the latent vector whose image has these
/// measurements (``GenerativePriorSearch``); models without a generator must be trained anew and refuse.
public struct LearnedReconstruction: Reconstruction {
  /// The model.
  public let model: RecoveryModel
  /// Its settings.
  public let settings: RecoverySettings
  /// What the starts of latent steps and of searches are drawn from.
  public let seed: UInt64

  /// A method of a model.
  /// - Parameters:
  ///   - model: the model.
  ///   - settings: its settings.
  ///   - seed: what the starts of latent steps and of searches are drawn from.
  public init(_ model: RecoveryModel, settings: RecoverySettings, seed: UInt64 = 1) {
    (self.model, self.settings, self.seed) = (model, settings, seed)
  }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try reconstruct(planes: [measurements], of: measured, height: height, width: width).first ?? []
  }

  /// Recovers planes of one size that one operator measured, all at once.
  /// - Throws: ``SensingError`` if the planes are not of the model's size, or the model cannot use the operator.
  public func reconstruct(
    planes: [[Double]], of measured: any LinearOperator, height: Int, width: Int
  ) throws -> [[Double]] {
    guard height == settings.height, width == settings.width else {
      throw SensingError(
        "The model takes images of \(settings.height)x\(settings.width) pixels and cannot recover one of \(height)x\(width): "
          + "give it images of its size, or train a model for these.")
    }
    for plane in planes { try check(plane, measured, height, width) }
    guard !planes.isEmpty else { return [] }
    // Planes have values from 0 to 1, the model's signals those from -1 to 1.
    let white = measured.forward([Double](repeating: 1, count: measured.signalCount))
    let y = Tensor(
      planes.flatMap { zip($0, white).map { Float(2 * $0 - $1) } }, shape: [planes.count, measured.measurementCount])
    let signals = try recover(y, of: measured).doubleValues, pixels = height * width
    return planes.indices.map { place in signals[place * pixels..<(place + 1) * pixels].map { ($0 + 1) / 2 } }
  }

  private func recover(_ y: Tensor, of measured: any LinearOperator) throws -> Tensor {
    let random = RandomSource(seed: seed).stream("learned reconstruction")
    if let own = model.measurementMatrix, isFirst(measured, of: own) {
      return model.reconstruct(y, random: random).detached()
    }
    return try search(y, by: Self.matrix(of: measured), random: random)
  }

  /// Searches the generator for images with given measurements.
  /// - Parameters:
  ///   - measurements: `[rows, measurements]` of signals with values from -1 to 1.
  ///   - matrix: `[pixels, measurements]`.
  ///   - random: draws the starts.
  /// - Returns: signals `[rows, pixels]`.
  /// - Throws: ``SensingError`` for a model without a generator.
  public func search(_ measurements: Tensor, by matrix: Tensor, random: RandomSource) throws -> Tensor {
    var search = settings.search
    switch model {
    case .csgm(let prior, _, _):
      return search.recover(measurements, by: prior, random: random, measure: { matmul($0, matrix) }).signals.detached()
    case .dcs(let model):
      // The generator knows the sphere or cube to which latent vectors are put back, which leaves nothing to a prior.
      search.priorWeight = 0
      return search.recover(
        measurements, latents: model.generator.inputCount, random: random, measure: { matmul($0, matrix) },
        generate: { model.generator(model.optimization.project($0)) }
      ).signals.detached()
    case .regression, .unrolled:
      throw SensingError(
        "The measurements were not taken by the model's own matrix, and \(settings.method.rawValue) cannot use any other: "
          + "measure by the model's, train anew, or take a model of --method csgm or dcs.")
    }
  }

  /// Whether an operator gives the first measurements of a matrix `[pixels, measurements]`, tried with three random signals.
  private func isFirst(_ measured: any LinearOperator, of matrix: Tensor) -> Bool {
    let count = measured.measurementCount
    guard count <= matrix.columns, measured.signalCount == matrix.rows else { return false }
    let probes = uniform([3, matrix.rows], from: -1, to: 1, random: RandomSource(seed: 1).stream("operator probes"))
    let expected = matmul(probes, matrix.slice(axis: 1, 0..<count)).doubleValues, values = probes.doubleValues
    let given = (0..<3).flatMap { measured.forward(Array(values[$0 * matrix.rows..<($0 + 1) * matrix.rows])) }
    let scale = expected.map(abs).max() ?? 0
    return zip(expected, given).allSatisfy { abs($0 - $1) <= 1e-4 * scale }
  }

  /// The matrix `[pixels, measurements]` of an operator.
  /// - Throws: ``SensingError`` if it would be too large.
  static func matrix(of measured: any LinearOperator) throws -> Tensor {
    let (signal, count) = (measured.signalCount, measured.measurementCount)
    guard count <= OperatorDescription.mostEntries / max(1, signal) else {
      throw SensingError(
        "A search needs the operator's matrix, and \(count)x\(signal) is more than the limit of 1 GiB: take fewer measurements."
      )
    }
    let rows = (0..<count).flatMap { place -> [Float] in
      var unit = [Double](repeating: 0, count: count)
      unit[place] = 1
      return measured.adjoint(unit).map(Float.init)
    }
    return Tensor(rows, shape: [count, signal]).transposed().contiguous()
  }
}
