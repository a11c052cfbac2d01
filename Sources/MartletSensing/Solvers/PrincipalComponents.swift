import MartletTensor

/// The mean of training images and the directions in which they vary most.
public struct PrincipalComponents: Sendable {
  /// The number of rows of an image.
  public let height: Int
  /// The number of columns of an image.
  public let width: Int
  /// The mean plane, `[height * width]`.
  public let mean: [Double]
  /// Orthonormal planes, `[components][height * width]`, the one of most variance first.
  public let directions: [[Double]]
  /// The variance along each direction.
  public let variances: [Double]
  /// The most directions: the smaller of the numbers of images and of pixels.
  static let mostDirections = 2_048

  /// The components of planes. O(min(planes, pixels)^3).
  /// - Parameters:
  ///   - planes: at least two planes `[height * width]`.
  ///   - height: the number of rows of a plane.
  ///   - width: the number of columns of a plane.
  /// - Throws: ``SensingError`` if there are fewer than two planes, one has another size, or there are too many and too large ones.
  public init(of planes: [[Double]], height: Int, width: Int) throws {
    let pixels = height * width, count = planes.count
    guard count > 1, planes.allSatisfy({ $0.count == pixels }) else {
      throw SensingError(
        "Principal components need two or more training images of \(height)x\(width) pixels; give a folder of such images."
      )
    }
    guard min(count, pixels) <= Self.mostDirections else {
      throw SensingError(
        "Principal components of \(count) images of \(pixels) pixels take too long; give at most \(Self.mostDirections) training images of this size."
      )
    }
    var mean = [Double](repeating: 0, count: pixels)
    for plane in planes { for index in 0..<pixels { mean[index] += plane[index] / Double(count) } }
    let centred = Tensor(
      doubles: planes.flatMap { plane in plane.indices.map { plane[$0] - mean[$0] } }, shape: [count, pixels])
    let isWide = count <= pixels
    let turned = centred.transposed().contiguous()
    let moments = (isWide ? matmul(centred, turned) : matmul(turned, centred)) / Double(count)
    let size = min(count, pixels), found = SymmetricEigenvectors(moments.doubleValues, size: size)
    let floor = (found.eigenvalues.first ?? 0) * 1e-10
    let variances = Array(found.eigenvalues.prefix { $0 > floor })
    var directions = found.largest(variances.count)
    if isWide, !directions.isEmpty {
      let products = matmul(Tensor(doubles: directions.flatMap { $0 }, shape: [directions.count, count]), centred)
      let values = products.doubleValues
      directions = variances.indices.map { row in
        let scale = 1 / (variances[row] * Double(count)).squareRoot()
        return values[row * pixels..<(row + 1) * pixels].map { $0 * scale }
      }
    }
    (self.height, self.width, self.mean, self.directions, self.variances) = (height, width, mean, directions, variances)
  }

  /// The planes of least mean squared error among those that are linear in their measurements, when planes vary as `variances` says and
  /// measurements have independent noise.
  func estimates(
    _ planes: [[Double]], of measured: any LinearOperator, variances: [Double], noiseVariance: Double
  ) throws -> [[Double]] {
    let used = variances.count, count = measured.measurementCount
    // Columns: what is measured of each direction, as long as its deviation.
    let columns = (0..<used).map { index in
      let scale = variances[index].squareRoot()
      return measured.forward(directions[index]).map { $0 * scale }
    }
    let measuredMean = measured.forward(mean)
    let b = Tensor(doubles: columns.flatMap { $0 }, shape: [used, count]), turned = b.transposed().contiguous()
    let isWide = count <= used, size = min(count, used)
    var gram = (isWide ? matmul(turned, b) : matmul(b, turned)).doubleValues
    let trace = (0..<size).reduce(0) { $0 + gram[$1 * size + $1] }
    // Without noise, rounding still has its share.
    let ridge = max(noiseVariance, 1e-10 * trace / Double(max(1, size)))
    for index in 0..<size { gram[index * size + index] += ridge }
    guard used > 0, let factor = Cholesky(gram, size: size) else { return planes.map { _ in mean } }
    return planes.map { values in
      let miss = values.indices.map { values[$0] - measuredMean[$0] }
      let shares: [Double]
      if isWide {
        let solved = factor.solve(miss)
        shares = columns.map { dot($0, solved) }
      } else {
        shares = factor.solve(columns.map { dot($0, miss) })
      }
      var plane = mean
      for (index, direction) in directions.prefix(used).enumerated() {
        let share = shares[index] * variances[index].squareRoot()
        for place in plane.indices { plane[place] += share * direction[place] }
      }
      return plane
    }
  }

  /// - Throws: ``SensingError`` if the planes to recover have another size.
  func check(height: Int, width: Int) throws {
    guard height == self.height, width == self.width else {
      throw SensingError(
        "The training images have \(self.height)x\(self.width) pixels and the measured ones \(height)x\(width); give training images of that size."
      )
    }
  }
}
