import MartletTensor

/// The distance of two sets of feature vectors as if both were normally distributed:
/// `||mu1 - mu2||² + Tr(C1 + C2 - 2 (C1 C2)^(1/2))` (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017).
///
/// With the features of the Inception network it is the published FID; figures of other features cannot be compared with those.
public enum FrechetDistance {
  /// The distance between features `[rows, features]` and `[rows, features]`, in double precision. Precondition: both have the same number
  /// of features and at least two rows.
  public static func between(_ first: Tensor, _ second: Tensor) -> Double {
    let (mean1, covariance1) = moments(first), (mean2, covariance2) = moments(second)
    // Tr (C1 C2)^(1/2) = Tr (S C2 S)^(1/2) with S = C1^(1/2), where both roots are of symmetric matrices.
    let root = squareRoot(covariance1)
    let cross = squareRoot(matmul(matmul(root, covariance2), root))
    let distance =
      (mean1 - mean2).squared.sum().scalar + trace(covariance1) + trace(covariance2) - 2 * trace(cross)
    return max(0, distance)
  }

  /// The mean `[features]` and the unbiased covariance `[features, features]`.
  private static func moments(_ features: Tensor) -> (mean: Tensor, covariance: Tensor) {
    let x = features.cast(to: .float64), mean = x.mean(axes: [0], keepingAxes: true)
    let centred = x - mean
    let covariance = matmul(centred.transposed().contiguous(), centred) / Double(max(1, x.rows - 1))
    return (mean.reshaped([x.columns]), covariance)
  }

  private static func trace(_ matrix: Tensor) -> Double {
    let size = matrix.shape[0]
    return matrix.gathered(axis: 1, Array(0..<size), shape: [size, 1]).sum().scalar
  }

  /// The root of a symmetric matrix without negative eigenvalues, by the coupled iteration of Newton and Schulz (Higham, Functions of
  /// Matrices, 6.7). Eigenvalues below about 1e-14 of the largest count as 0.
  private static func squareRoot(_ matrix: Tensor) -> Tensor {
    let size = matrix.shape[0], norm = matrix.squared.sum().scalar.squareRoot()
    guard norm > 0 else { return matrix }
    let values = (0..<size * size).map { $0 / size == $0 % size ? 1.0 : 0 }
    let identity = Tensor(doubles: values, shape: [size, size])
    var root = matrix / norm + identity * 1e-14, inverse = identity
    for _ in 0..<60 {
      let factor = (3 * identity - matmul(inverse, root)) * 0.5
      let next = matmul(root, factor)
      inverse = matmul(factor, inverse)
      let change = (next - root).squared.sum().scalar
      root = (next + next.transposed()) * 0.5
      if change < 1e-24 * Double(size) { break }
    }
    return root * norm.squareRoot()
  }
}
