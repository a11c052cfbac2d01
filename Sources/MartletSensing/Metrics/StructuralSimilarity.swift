import Foundation
import MartletTensor

/// The mean structural similarity of images (SSIM; Wang et al., 2004) with a Gaussian window of 11x11 pixels and deviation 1.5, over all
/// places where the window lies inside the image. Pixels have values from 0 to 1.
public enum StructuralSimilarity {
  /// The similarity of each image, from -1 to 1 (the same).
  /// - Parameters:
  ///   - a: `[images, height * width]`, values from 0 to 1.
  ///   - b: the same number of images.
  ///   - height: the number of rows of an image. Images smaller than the window take a window of their size.
  ///   - width: the number of columns of an image.
  public static func between(_ a: Tensor, _ b: Tensor, height: Int, width: Int) -> [Double] {
    let rows = kernel(min(11, height)).cast(to: a.dtype), columns = kernel(min(11, width)).cast(to: a.dtype)
    func blurred(_ x: Tensor) -> Tensor {
      let image = x.reshaped([x.rows, 1, height, width])
      let first = convolution(image, weight: rows.reshaped([1, 1, rows.count, 1]))
      return convolution(first, weight: columns.reshaped([1, 1, 1, columns.count]))
    }
    let b = b.cast(to: a.dtype), meanA = blurred(a), meanB = blurred(b)
    let varianceA = blurred(a.squared) - meanA.squared, varianceB = blurred(b.squared) - meanB.squared
    let covariance = blurred(a * b) - meanA * meanB
    let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
    let similarity =
      (2 * meanA * meanB + c1) * (2 * covariance + c2)
      / ((meanA.squared + meanB.squared + c1) * (varianceA + varianceB + c2))
    return similarity.mean(axes: [1, 2, 3]).doubleValues
  }

  private static func kernel(_ count: Int) -> Tensor {
    let middle = Double(count - 1) / 2
    let weights = (0..<count).map { Foundation.exp(-pow((Double($0) - middle) / 1.5, 2) / 2) }
    let sum = weights.reduce(0, +)
    return Tensor(weights.map { Float($0 / sum) })
  }
}
