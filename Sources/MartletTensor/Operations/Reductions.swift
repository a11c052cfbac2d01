extension Tensor {
  /// The sum over axes, which are removed from the shape or kept with length 1. The order of additions depends only on
  /// the shape.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let axes = Set((axes ?? Array(shape.indices)).map { $0 < 0 ? $0 + shape.count : $0 })
    let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    let final = keepingAxes ? kept : shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    var result = detached().contiguous()
    var axis = shape.count - 1
    while axis >= 0 {
      if axes.contains(axis) {
        var first = axis
        while first > 0, axes.contains(first - 1) { first -= 1 }
        result = CPU.sum(result, axes: first..<axis + 1)
        axis = first
      }
      axis -= 1
    }
    let before = shape
    return Tensor(storage: result.storage, shape: final, offset: result.offset, dtype: dtype)
      .recorded(from: [self]) { [$0.gradient.reshaped(kept).broadcast(to: before)] }
  }

  /// The mean over axes, which are removed from the shape or kept with length 1.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let total = sum(axes: axes, keepingAxes: keepingAxes)
    return total * (Double(total.count) / Double(count))
  }

  /// The adjoint of broadcasting from the shape `target`: repeated elements are summed.
  public func summed(to target: [Int]) -> Tensor {
    if shape == target { return self }
    let missing = shape.count - target.count
    let axes = shape.indices.filter { $0 < missing || (target[$0 - missing] == 1 && shape[$0] != 1) }
    return sum(axes: axes, keepingAxes: true).reshaped(target)
  }

  /// The largest value along an axis, which is removed from the shape. At a tie the gradient goes to the first of the
  /// equal values.
  public func maximum(axis: Int) -> Tensor {
    let axis = axis < 0 ? axis + shape.count : axis
    var target = shape
    target.remove(at: axis)
    var kept = shape
    kept[axis] = 1
    let places = argmax(axis: axis)
    return gathered(axis: axis, places, shape: kept).reshaped(target)
  }

  /// The index of the largest value along an axis, row-major over the other axes. At a tie it is the first index. In
  /// single precision NaN is never chosen, unless all values are NaN.
  public func argmax(axis: Int) -> [Int] {
    let order = shape.indices.filter { $0 != axis } + [axis]
    let rows = detached().permuted(order).contiguous(), length = shape[axis]
    guard length > 0 else { return [] }
    return CPU.argmax(rows, length: length, count: count / length)
  }

  /// The index of the largest value of a row. At a tie it is the first index. In single precision NaN is never chosen,
  /// unless all values are NaN. Precondition: the tensor is contiguous.
  public func argmax(row: Int) -> Int {
    CPU.argmax(self, length: columns, first: row, count: 1)[0]
  }

  /// The cumulative sum along an axis.
  public func cumulativeSum(axis: Int) -> Tensor {
    let length = shape[axis]
    // A lower triangle of ones: y = L x.
    let triangle = Tensor(
      doubles: (0..<length * length).map { $0 % length <= $0 / length ? 1.0 : 0.0 }, shape: [length, length],
      dtype: dtype)
    let order = [axis] + shape.indices.filter { $0 != axis }
    let back = shape.indices.map { order.firstIndex(of: $0) ?? $0 }
    let rows = permuted(order)
    return matmul(triangle, rows.reshaped([length, count / max(1, length)])).reshaped(rows.shape).permuted(back)
  }

  /// The Euclidean norm along the last axis. `epsilon` is added under the square root, because without it the gradient
  /// at 0 is infinite.
  public func norm(guardedBy epsilon: Double = 0) -> Tensor { sqrt(squared.sum(axes: [-1]) + epsilon) }
}
