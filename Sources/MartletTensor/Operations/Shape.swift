// The same elements in another order or arrangement. Views share storage.

extension Tensor {
  /// The same elements with another shape. They are copied if they are not contiguous. Precondition: the number of
  /// elements is the same.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(Tensor.count(shape) == count, "\(self.shape) cannot be seen as \(shape)")
    let dense = isContiguous ? self : contiguous(), before = self.shape
    return Tensor(storage: dense.storage, shape: shape, offset: dense.offset, dtype: dtype)
      .recorded(from: [self]) { [$0.gradient.reshaped(before)] }
  }

  /// The tensor with two axes exchanged, without a copy.
  public func transposed(_ first: Int = 0, _ second: Int = 1) -> Tensor {
    var shape = shape, strides = strides
    shape.swapAt(first, second)
    strides.swapAt(first, second)
    return Tensor(storage: storage, shape: shape, strides: strides, offset: offset, dtype: dtype)
      .recorded(from: [self]) { [$0.gradient.transposed(first, second)] }
  }

  /// Axis i of the result is axis `axes[i]` of `self`, without a copy.
  public func permuted(_ axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(shape.indices), "\(axes) is no order of the axes of \(shape)")
    let strides = strides
    let back = axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }
    return Tensor(
      storage: storage, shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] }, offset: offset, dtype: dtype
    ).recorded(from: [self]) { [$0.gradient.permuted(back)] }
  }

  /// The part `range` of an axis, without a copy.
  public func slice(axis: Int, _ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[axis], "\(range) of axis \(axis) of \(shape)")
    var part = shape
    part[axis] = range.count
    let whole = shape[axis]
    return Tensor(
      storage: storage, shape: part, strides: strides, offset: offset + range.lowerBound * strides[axis], dtype: dtype
    ).recorded(from: [self]) {
      [$0.gradient.padded(axis: axis, before: range.lowerBound, after: whole - range.upperBound)]
    }
  }

  /// The part `range` of the first axis, without a copy.
  public func rows(_ range: Range<Int>) -> Tensor { slice(axis: 0, range) }

  /// The tensor with zeros added before and after an axis.
  public func padded(axis: Int, before: Int, after: Int) -> Tensor {
    var whole = shape
    whole[axis] += before + after
    let result = Tensor.zeros(whole, dtype: dtype)
    CPU.copy(self, to: result.slice(axis: axis, before..<before + shape[axis]))
    let inner = before..<before + shape[axis]
    return result.recorded(from: [self]) { [$0.gradient.slice(axis: axis, inner)] }
  }

  /// Repeats axes of length 1 and adds leading axes to obtain the shape `target`, without a copy.
  public func broadcast(to target: [Int]) -> Tensor {
    if target == shape { return self }
    let before = shape
    return Tensor(storage: storage, shape: target, strides: broadcastStrides(target), offset: offset, dtype: dtype)
      .recorded(from: [self]) { [$0.gradient.summed(to: before)] }
  }

  /// The tensor itself if it is contiguous, else a contiguous copy. Gradients flow through. O(count).
  public func contiguous() -> Tensor {
    if isContiguous { return self }
    var result = Tensor.empty(shape, dtype: dtype)
    CPU.copy(self, to: result)
    result.node = node
    return result
  }

  /// The same values in another floating-point type.
  public func cast(to type: DType) -> Tensor {
    if type == dtype { return self }
    let before = dtype
    let result = type == .float64 ? Tensor(doubles: doubleValues, shape: shape) : Tensor(values, shape: shape)
    return result.recorded(from: [self]) { [$0.gradient.cast(to: before)] }
  }
}

/// The concatenation of tensors along an axis.
public func concatenated(_ parts: [Tensor], axis: Int = 0) -> Tensor {
  precondition(!parts.isEmpty, "nothing to concatenate")
  let lengths = parts.map { $0.shape[axis] }, whole = lengths.reduce(0, +)
  var shape = parts[0].shape
  shape[axis] = whole
  let result = Tensor.empty(shape, dtype: parts[0].dtype)
  var ranges: [Range<Int>] = []
  for (part, length) in zip(parts, lengths) {
    let start = ranges.last?.upperBound ?? 0
    ranges.append(start..<start + length)
    CPU.copy(part, to: result.slice(axis: axis, start..<start + length))
  }
  let places = ranges
  return result.recorded(from: parts) { context in
    places.map { context.gradient.slice(axis: axis, $0) }
  }
}

/// Stacks tensors of equal shape along a new first axis.
public func stacked(_ parts: [Tensor]) -> Tensor { concatenated(parts.map { $0.reshaped([1] + $0.shape) }) }
