import CMartletKernels

/// Planes of pixels in double precision.
extension CPU {
  /// What the cosine transform of columns of one length needs: `factors` and `cosines` of ``martlet_cosine_columns``.
  package typealias CosineColumns = (factors: [Double], cosines: [Double])

  /// The orthonormal two-dimensional cosine transform of a plane, in place. Each pass transforms columns and writes the transpose: the second
  /// one ends where the first began.
  ///
  /// - Parameters:
  ///   - plane: `[height, width]`.
  ///   - height: its rows.
  ///   - width: its columns.
  ///   - isInverse: type III instead of type II.
  ///   - down: for columns of `height` values.
  ///   - across: for those of `width` values.
  package static func cosineTransform(
    _ plane: inout [Double], height: Int, width: Int, isInverse: Bool, down: CosineColumns, across: CosineColumns
  ) {
    precondition(plane.count == height * width, "\(plane.count) values for \(height) rows of \(width)")
    let turned = Storage(byteCount: plane.count * 8)
    let other = turned.pointer.bindMemory(to: Double.self, capacity: plane.count)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 16 * max(height, width) + 8) { space in
      martlet_cosine_columns(
        plane, Int64(height), Int64(width), isInverse, down.factors, down.cosines, space.baseAddress, other)
      martlet_cosine_columns(
        other, Int64(width), Int64(height), isInverse, across.factors, across.cosines, space.baseAddress, &plane)
    }
    withExtendedLifetime(turned) {}
  }

  /// Moves the dual variables of total variation, each `[height, width]`, `relaxation` times as far as a step along the differences of a plane
  /// to the next row and column would that ends in the unit disc of each pixel.
  package static func variationAscend(
    _ down: inout [Double], _ right: inout [Double], _ plane: [Double], step: Double, relaxation: Double, height: Int,
    width: Int
  ) {
    precondition([down.count, right.count, plane.count].allSatisfy { $0 == height * width }, "planes of other sizes")
    martlet_variation_ascend(&down, &right, plane, step, relaxation, Int64(height), Int64(width))
  }

  /// Writes to `result` a plane `[height, width]` after a step along the divergence of the dual variables.
  package static func variationDescend(
    _ plane: [Double], _ down: [Double], _ right: [Double], step: Double, height: Int, width: Int,
    result: inout [Double]
  ) {
    precondition(
      [down.count, right.count, plane.count, result.count].allSatisfy { $0 == height * width }, "planes of other sizes")
    martlet_variation_descend(plane, down, right, step, Int64(height), Int64(width), &result)
  }

  /// Moves a plane `relaxation` times as far as `found` is away, and writes the point beyond it, `2 found - plane`, to `ahead`.
  /// - Returns: the squared lengths of the way to `found`, and of `found`.
  package static func variationAdvance(
    _ plane: inout [Double], to found: [Double], ahead: inout [Double], relaxation: Double
  ) -> (way: Double, found: Double) {
    precondition(plane.count == found.count && ahead.count == found.count, "planes of other sizes")
    var squares = (0.0, 0.0)
    withUnsafeMutableBytes(of: &squares) { bytes in
      martlet_variation_advance(
        &plane, found, &ahead, relaxation, Int64(found.count), bytes.baseAddress?.assumingMemoryBound(to: Double.self))
    }
    return (squares.0, squares.1)
  }
}
