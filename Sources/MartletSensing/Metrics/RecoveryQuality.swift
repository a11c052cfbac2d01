import Foundation
import MartletTensor

/// How close recovered images come to the true ones: means over images.
public struct RecoveryQuality: Sendable, Codable, Equatable {
  /// The number of images.
  public var images: Int
  /// `||x' - x||` with pixels from -1 to 1, as the released code of deep compressed sensing reports it.
  public var l2: Double
  /// The squared error of a pixel with pixels from 0 to 1.
  public var mse: Double
  /// The peak signal-to-noise ratio in decibels, with pixels from 0 to 1; an image without error counts as 100.
  public var psnr: Double
  /// The structural similarity (see ``StructuralSimilarity``).
  public var ssim: Double
  /// Seconds of processor time for each image.
  public var secondsPerImage: Double

  /// Compares images.
  /// - Parameters:
  ///   - recovered: `[images, height * width]`; values beyond -1 and 1 are clipped.
  ///   - truth: the true images.
  ///   - seconds: the processor time that recovering them took.
  public init(_ recovered: Tensor, of truth: ImageSet, seconds: Double) {
    let clipped = clamp(recovered, from: -1, to: 1)
    let squares = (clipped - truth.signals).squared.sum(axes: [1]).doubleValues
    let count = Double(max(1, squares.count)), pixels = Double(truth.signals.columns)
    images = squares.count
    l2 = squares.reduce(0) { $0 + $1.squareRoot() } / count
    // Pixels from 0 to 1 have half the error.
    mse = squares.reduce(0) { $0 + $1 / 4 / pixels } / count
    psnr = squares.reduce(0) { $0 + min(100, -10 * log10(max($1 / 4 / pixels, 1e-30))) } / count
    let similarities = StructuralSimilarity.between(
      (clipped + 1) * 0.5, (truth.signals + 1) * 0.5, height: truth.height, width: truth.width)
    ssim = similarities.reduce(0, +) / count
    secondsPerImage = seconds / count
  }
}
