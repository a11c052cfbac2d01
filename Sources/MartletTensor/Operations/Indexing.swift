extension Tensor {
  /// Gathers rows of a table by index, as an embedding does: `[indices.count, columns]`.
  public func gatherRows(_ indices: [Int]) -> Tensor {
    let height = rows
    return CPU.gatherRows(contiguous(), indices).recorded(from: [self]) {
      [$0.gradient.scatterRows(indices, count: height)]
    }
  }

  /// The adjoint of ``gatherRows(_:)``: row i is added to row `indices[i]` of a zero tensor `[count, columns]`.
  public func scatterRows(_ indices: [Int], count: Int) -> Tensor {
    precondition(indices.count == rows, "\(indices.count) indices for \(shape)")
    return CPU.scatterRows(contiguous(), indices, count: count).recorded(from: [self]) {
      [$0.gradient.gatherRows(indices)]
    }
  }

  /// Gathers values along an axis: element i of the result, which has the given shape, is the element at `indices[i]`
  /// along `axis` and at the same position as in the result along the other axes.
  public func gathered(axis: Int, _ indices: [Int], shape target: [Int]) -> Tensor {
    precondition(indices.count == Tensor.count(target) && target.count == shape.count, "\(indices.count) for \(target)")
    let before = shape, places = Tensor.places(axis: axis, indices, target: target, table: before)
    return CPU.gather(contiguous(), places, shape: target).recorded(from: [self]) {
      [$0.gradient.scattered(axis: axis, indices, shape: before)]
    }
  }

  /// The adjoint of ``gathered(axis:_:shape:)``: values are summed at the positions given by the indices.
  public func scattered(axis: Int, _ indices: [Int], shape target: [Int]) -> Tensor {
    let before = shape, places = Tensor.places(axis: axis, indices, target: before, table: target)
    return CPU.scatter(contiguous(), places, shape: target).recorded(from: [self]) {
      [$0.gradient.gathered(axis: axis, indices, shape: before)]
    }
  }

  private static func places(axis: Int, _ indices: [Int], target: [Int], table: [Int]) -> [Int] {
    let strides = contiguousStrides(table)
    var index = [Int](repeating: 0, count: target.count)
    return indices.map { chosen in
      precondition(chosen >= 0 && chosen < table[axis], "index \(chosen) of axis \(axis) of \(table)")
      var place = 0
      for a in index.indices { place += (a == axis ? chosen : index[a]) * strides[a] }
      for a in index.indices.reversed() {
        index[a] += 1
        if index[a] < target[a] { break }
        index[a] = 0
      }
      return place
    }
  }

  /// The values rounded to the precision of `type`, to nearest even. No gradient flows through the result.
  /// Precondition: `type` is a floating-point type.
  public func rounded(to type: DType) -> Tensor {
    let format: WeightFormat = type == .bfloat16 ? .bf16 : type == .float16 ? .f16 : .f32
    precondition(type != .int32 && type != .int64, "values are rounded to floating types, not \(type)")
    return CPU.rounded(self, to: format)
  }
}
