import MartletData
import MartletTensor

/// How close one image came back under some conditions: a line of the rows of a benchmark.
public struct RecoveryRow: Sendable, Equatable {
  /// What was measured of an image. Pixels have values from 0 to 1.
  public enum Metric: String, Sendable, CaseIterable {
    /// `||x' - x||` with pixels from -1 to 1, as the released code of deep compressed sensing reports it.
    case l2
    /// The squared error of a pixel.
    case mse
    /// The peak signal-to-noise ratio in decibels; an image without error counts as 100.
    case psnr
    /// The structural similarity (see ``StructuralSimilarity``).
    case ssim
    /// Seconds of processor time for an image.
    case seconds
  }

  /// The conditions.
  public let conditions: RecoveryConditions
  /// The name of the image.
  public let image: String
  /// The seed of the operator and the noise, for a learned method that of its training.
  public let seed: UInt64
  /// What was measured.
  public let values: [Metric: Double]

  /// Rows of images that were recovered together.
  /// - Parameters:
  ///   - recovered: the planes that came back, values beyond 0 and 1 are cut off.
  ///   - originals: the planes that were measured, with their names.
  ///   - height: the number of rows of a plane.
  ///   - width: the number of columns of a plane.
  ///   - conditions: the conditions.
  ///   - seed: the seed.
  ///   - seconds: the processor time that all took.
  /// - Throws: ``SensingError`` if planes differ in size.
  static func rows(
    _ recovered: [[Double]], of originals: [(name: String, plane: [Double])], height: Int, width: Int,
    conditions: RecoveryConditions, seed: UInt64, seconds: Double
  ) throws -> [RecoveryRow] {
    let count = originals.count, pixels = height * width
    let clipped = recovered.map { $0.map { $0.isNaN ? 0 : min(1, max(0, $0)) } }
    let errors = try zip(clipped, originals).map { try ImageError($0, $1.plane) }
    func tensor(_ planes: [[Double]]) -> Tensor {
      Tensor(planes.flatMap { $0.map(Float.init) }, shape: [planes.count, pixels])
    }
    let similarities = StructuralSimilarity.between(
      tensor(clipped), tensor(originals.map(\.plane)), height: height, width: width)
    return (0..<count).map { index in
      RecoveryRow(
        conditions: conditions, image: originals[index].name, seed: seed,
        values: [
          .l2: errors[index].euclideanLength, .mse: errors[index].meanSquaredError,
          .psnr: min(100, errors[index].peakSignalToNoise), .ssim: similarities[index],
          .seconds: seconds / Double(count),
        ])
    }
  }

  /// The line, without its end.
  public var json: JSONValue {
    let head = conditions.members + [("image", .string(image)), ("seed", .string(String(seed)))]
    return JSONValue(
      members: head
        + Metric.allCases.compactMap { metric in
          values[metric].map { (metric.rawValue, .number($0)) }
        })
  }
}

extension JSONValue {
  /// An object of members in their order.
  init(members: [(String, JSONValue)]) {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    self = .object(object)
  }
}
