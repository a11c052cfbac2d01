import Foundation
import MartletTensor

/// What disturbs measurements, as data: the same noise always draws the same numbers for an image of a name.
public struct MeasurementNoise: Sendable, Hashable {
  /// The families of noise.
  public enum Kind: String, Sendable, CaseIterable {
    /// A normally distributed number is added; the level is its deviation.
    case gaussian
    /// The measurement is a number of events of which a measurement of 1 has `level` on average; its sign stays.
    case poisson
    /// A part, the level, of the measurements becomes the least or the greatest of them.
    case saltAndPepper = "salt-and-pepper"
    /// The measurement is rounded to one of `2^level` steps from the least to the greatest.
    case quantization
  }

  /// The family.
  public let kind: Kind
  /// How strong it is: a deviation, a number of events, a part, or a number of bits.
  public let level: Double
  /// What the random numbers are drawn from.
  public let seed: UInt64

  /// - Parameters:
  ///   - kind: the family.
  ///   - level: how strong it is, in the unit of the family.
  ///   - seed: what the random numbers are drawn from.
  /// - Throws: ``SensingError`` if there is no such level.
  public init(_ kind: Kind, level: Double, seed: UInt64 = 1) throws {
    let (isRight, allowed): (Bool, String) =
      switch kind {
      case .gaussian: (level > 0 && level.isFinite, "a deviation above 0")
      case .poisson: (level > 0 && level <= 1e12, "a number of events above 0 and up to 1e12")
      case .saltAndPepper: (level > 0 && level <= 1, "a part above 0 and at most 1")
      case .quantization: (level >= 1 && level <= 32 && level == level.rounded(), "a whole number of bits from 1 to 32")
      }
    guard isRight else { throw SensingError("The level of \(kind.rawValue) noise is \(allowed), not \(level).") }
    (self.kind, self.level, self.seed) = (kind, level, seed)
  }

  /// The measurements with noise.
  /// - Parameters:
  ///   - measurements: those without.
  ///   - name: the name of the image, which has draws of its own.
  ///   - channel: the number of its channel.
  public func added(to measurements: [Double], name: String = "", channel: Int = 0) -> [Double] {
    let random = RandomSource(seed: seed).stream("noise").stream(name).stream(channel)
    let least = measurements.min() ?? 0, greatest = measurements.max() ?? 0
    let steps = exp2(level) - 1
    return measurements.enumerated().map { index, value in
      switch kind {
      case .gaussian: return value + level * random.normal(index)
      case .poisson:
        let events = random.stream(index).poisson(mean: abs(value) * level) / level
        return value < 0 ? -events : events
      case .saltAndPepper:
        guard random.uniform(2 * index) < level else { return value }
        return random.uniform(2 * index + 1) < 0.5 ? least : greatest
      case .quantization:
        guard greatest > least else { return value }
        return least + ((value - least) / (greatest - least) * steps).rounded() * (greatest - least) / steps
      }
    }
  }

  /// The Euclidean length that the noise of measurements has about, judged by the measurements with it.
  /// - Parameter measurements: those with noise.
  public func expectedLength(of measurements: [Double]) -> Double {
    let least = measurements.min() ?? 0, greatest = measurements.max() ?? 0, count = Double(measurements.count)
    switch kind {
    case .gaussian: return level * count.squareRoot()
    case .poisson: return (absoluteSum(measurements) / level).squareRoot()
    case .saltAndPepper:
      let squares = measurements.reduce(0) { sum, value in
        sum + ((value - least) * (value - least) + (value - greatest) * (value - greatest)) / 2
      }
      return (level * squares).squareRoot()
    case .quantization: return (greatest - least) / (exp2(level) - 1) * (count / 12).squareRoot()
    }
  }
}
