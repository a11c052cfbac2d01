import Foundation
import MartletTensor

/// How often basis pursuit finds a signal with few values that are not zero from Gaussian measurements, against the curve at which that changes
/// from nearly always to nearly never (Donoho and Tanner, "Neighborliness of randomly projected simplices in high dimensions", 2005).
///
/// Delta is the number of measurements for each value of the signal, and rho the number of values that are not zero for each measurement.
public struct PhaseTransition: Sendable, Equatable {
  /// The number of values of a signal.
  public var signalCount: Int
  /// The number of signals of a point.
  public var trials: Int
  /// What matrices and signals are drawn from.
  public var seed: UInt64
  /// The relative error below which a signal counts as found.
  public var tolerance: Double

  /// - Parameters:
  ///   - signalCount: the number of values of a signal.
  ///   - trials: the number of signals of a point.
  ///   - seed: what matrices and signals are drawn from.
  ///   - tolerance: the relative error below which a signal counts as found.
  public init(signalCount: Int = 200, trials: Int = 20, seed: UInt64 = 1, tolerance: Double = 1e-4) {
    (self.signalCount, self.trials, self.seed, self.tolerance) = (signalCount, trials, seed, tolerance)
  }

  /// The part of the signals that basis pursuit finds, from 0 to 1. Each trial has a matrix of its own.
  /// - Parameters:
  ///   - delta: measurements for each value of the signal, above 0 and at most 1.
  ///   - rho: values that are not zero for each measurement, from 0 to 1.
  /// - Throws: ``SensingError`` if there is no such point.
  public func successShare(delta: Double, rho: Double) throws -> Double {
    guard delta > 0, delta <= 1, rho >= 0, rho <= 1, signalCount > 0, trials > 0 else {
      throw SensingError("Delta must be above 0 and at most 1 and rho from 0 to 1, not \(delta) and \(rho).")
    }
    let count = max(1, Int((delta * Double(signalCount)).rounded()))
    let nonzero = min(count, Int((rho * Double(count)).rounded()))
    var found = 0
    for trial in 0..<trials {
      let random = RandomSource(seed: seed).stream("phase transition").stream(count).stream(nonzero).stream(trial)
      let measured = try MatrixOperator.gaussian(
        signalCount: signalCount, measurementCount: count, seed: random.stream("matrix").bits(0))
      var signal = [Double](repeating: 0, count: signalCount)
      for place in random.stream("places").permutation(signalCount).prefix(nonzero) {
        signal[place] = random.stream("values").normal(place)
      }
      let recovered = try SparseSignal.basisPursuit(
        measured.forward(signal), of: measured, iterations: 600, tolerance: 1e-6)
      if distance(recovered, signal) <= tolerance * dot(signal, signal).squareRoot() { found += 1 }
    }
    return Double(found) / Double(trials)
  }

  /// The rho of the curve: the greatest of `(1 - (2 / delta) M(z)) / (1 + z^2 - 2 M(z))` with `M(z) = (1 + z^2) Phi(-z) - z phi(z)`, in the
  /// limit of long signals.
  /// - Parameter delta: measurements for each value of the signal, above 0 and at most 1.
  public static func curve(delta: Double) -> Double {
    stride(from: 0, through: 6, by: 1e-4).reduce(0) { best, z in
      let m = (1 + z * z) * 0.5 * erfc(z / 2.0.squareRoot()) - z * exp(-z * z / 2) / (2 * .pi).squareRoot()
      return max(best, (1 - 2 / delta * m) / (1 + z * z - 2 * m))
    }
  }
}
