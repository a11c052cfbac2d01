import CMartletKernels

/// Planes of pixels in double precision.
extension CPU {
  /// The orthonormal cosine transform of each column, and the transpose of what comes out.
  ///
  /// - Parameters:
  ///   - plane: `[rows, columns]`.
  ///   - rows: its rows, `factors` and `cosines` those of ``martlet_cosine_columns``.
  ///   - isInverse: type III instead of type II.
  ///   - result: is overwritten by `[columns, rows]`; as many values as `plane`.
  package static func cosineColumns(
    _ plane: [Double], rows: Int, columns: Int, isInverse: Bool, factors: [Double], cosines: [Double],
    result: inout [Double]
  ) {
    precondition(
      plane.count == rows * columns && result.count == plane.count,
      "\(plane.count) values for \(rows) rows of \(columns)")
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 16 * rows + 8) { space in
      martlet_cosine_columns(
        plane, Int64(rows), Int64(columns), isInverse, factors, cosines, space.baseAddress, &result)
    }
  }

  /// A step of the dual variables of total variation, each `[height, width]`, along the differences of a plane to the next row and column, back
  /// into the unit disc of each pixel.
  package static func variationAscend(
    _ down: inout [Double], _ right: inout [Double], _ plane: [Double], step: Double, height: Int, width: Int
  ) {
    precondition([down.count, right.count, plane.count].allSatisfy { $0 == height * width }, "planes of other sizes")
    martlet_variation_ascend(&down, &right, plane, step, Int64(height), Int64(width))
  }

  /// A step of a plane `[height, width]` along the divergence of the dual variables.
  package static func variationDescend(
    _ plane: inout [Double], _ down: [Double], _ right: [Double], step: Double, height: Int, width: Int
  ) {
    precondition([down.count, right.count, plane.count].allSatisfy { $0 == height * width }, "planes of other sizes")
    martlet_variation_descend(&plane, down, right, step, Int64(height), Int64(width))
  }
}
