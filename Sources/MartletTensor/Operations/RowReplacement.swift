extension Tensor {
  /// The same tensor with row `rows[i]` replaced by row i of `values` (`[rows.count, columns]`). The other rows are
  /// unchanged bit for bit.
  ///
  /// Precondition: the row indices are distinct.
  public func replacingRows(_ rows: [Int], with values: Tensor) -> Tensor {
    precondition(values.shape == [rows.count, columns], "\(values.shape) for \(rows.count) rows of \(shape)")
    let zeros = shape.dropFirst()
    let result = CPU.replaceRows(contiguous(), rows, with: values.contiguous())
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
