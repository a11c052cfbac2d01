import MartletKernels

extension Tensor {
  /// The same rows, but row `rows[i]` is row i of `values` (`[rows.count, columns]`). Other rows keep their bits.
  ///
  /// Precondition: the rows are distinct.
  public func replacingRows(_ rows: [Int], with values: Tensor) -> Tensor {
    precondition(values.shape == [rows.count, columns], "\(values.shape) for \(rows.count) rows of \(shape)")
    let source = contiguous(), new = values.contiguous(), size = columns * dtype.byteCount, height = self.rows
    let result = Tensor.empty(shape, dtype: dtype)
    result.base.copyMemory(from: source.base, byteCount: height * size)
    for (place, row) in rows.enumerated() {
      precondition(row >= 0 && row < height, "row \(row) of \(shape)")
      (result.base + row * size).copyMemory(from: new.base + place * size, byteCount: size)
    }
    let zeros = shape.dropFirst()
    return result.recorded(from: [self, values]) { context in
      let gradient = context.gradient
      return [
        context.needs[0]
          ? gradient.replacingRows(rows, with: .zeros([rows.count] + zeros, dtype: gradient.dtype)) : nil,
        context.needs[1] ? gradient.gatherRows(rows) : nil,
      ]
    }
  }
}
