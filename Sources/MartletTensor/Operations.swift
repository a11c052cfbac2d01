import MartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// The primitives that models are made of. Each takes and returns contiguous float tensors
// `[rows, features]`; each row's result depends on that row alone.

/// Elements that one thread works on at a time, about two microseconds of work: small tensors stay on the
/// calling thread.
private let grainElements = 4096

extension Tensor {
  /// A tensor like `self` whose rows `compute` fills, range by range, in parallel.
  private func mapRows(
    columns: Int? = nil, _ compute: (_ range: Range<Int>, _ result: UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let result = Tensor(
      storage: Storage(byteCount: rows * (columns ?? self.columns) * 4), shape: columns.map { [rows, $0] } ?? shape)
    let output = result.mutableFloats
    Parallel.forEach(rows, grain: grainElements / max(1, self.columns)) { compute($0, output) }
    return result
  }

  private func mapElements(
    _ kernel: @convention(c) (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
  ) -> Tensor {
    let input = floats, width = columns
    return mapRows { range, output in
      kernel(input + range.lowerBound * width, output + range.lowerBound * width, Int64(range.count * width))
    }
  }

  private func mapElements(
    with other: Tensor,
    _ kernel: @convention(c) (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
  ) -> Tensor {
    precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
    let a = floats, b = other.floats, width = columns
    return mapRows { range, output in
      let start = range.lowerBound * width
      kernel(a + start, b + start, output + start, Int64(range.count * width))
    }
  }

  public static func + (a: Tensor, b: Tensor) -> Tensor { a.mapElements(with: b, martlet_add) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.mapElements(with: b, martlet_multiply) }
  public static func * (a: Tensor, factor: Float) -> Tensor {
    let input = a.floats, width = a.columns
    return a.mapRows { range, output in
      let start = range.lowerBound * width
      martlet_scale(input + start, factor, output + start, Int64(range.count * width))
    }
  }

  /// Rows of an embedding-like table by index: `[indices.count, columns]`.
  public func gatherRows(_ indices: [Int]) -> Tensor {
    let result = Tensor(storage: Storage(byteCount: indices.count * columns * 4), shape: [indices.count, columns])
    for (place, index) in indices.enumerated() {
      precondition(index >= 0 && index < rows, "row \(index) of \(shape)")
      memcpy(result.mutableFloats + place * columns, floats + index * columns, columns * 4)
    }
    return result
  }

  /// `self + bias`, the bias (`[features]`) added to each row.
  public func adding(bias: Tensor) -> Tensor {
    precondition(bias.count == columns, "a bias of \(bias.count) for \(shape)")
    let input = floats, values = bias.floats, width = columns
    return mapRows { range, output in
      memcpy(output + range.lowerBound * width, input + range.lowerBound * width, range.count * width * 4)
      martlet_add_bias(output + range.lowerBound * width, values, Int64(range.count), Int64(width))
    }
  }

  /// Values rounded to what `type` can hold, to nearest even. Precondition: a floating type.
  public func rounded(to type: DType) -> Tensor {
    let format: WeightFormat = type == .bfloat16 ? .bf16 : type == .float16 ? .f16 : .f32
    precondition(type != .int32 && type != .int64, "values are rounded to floating types, not \(type)")
    let bytes = format.round(values)
    return Tensor(shape: shape) { target in
      martlet_file_expand(format.fileType, bytes, Int64(count), target.assumingMemoryBound(to: Float.self).baseAddress)
    }
  }

  /// Index of the largest value of a row.
  public func argmax(row: Int) -> Int { Int(martlet_argmax(floats + row * columns, Int64(columns))) }
}

/// `x * sigmoid(x)`.
public func silu(_ x: Tensor) -> Tensor { x.apply(martlet_silu) }
/// `silu(gate) * up` in one pass.
public func siluMultiply(_ gate: Tensor, _ up: Tensor) -> Tensor { gate.apply(with: up, martlet_silu_multiply) }
public func sigmoid(_ x: Tensor) -> Tensor { x.apply(martlet_sigmoid) }
/// `max(x, 0)^2`.
public func reluSquared(_ x: Tensor) -> Tensor { x.apply(martlet_relu_squared) }

extension Tensor {
  fileprivate func apply(
    _ kernel: @convention(c) (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
  ) -> Tensor { mapElements(kernel) }

  fileprivate func apply(
    with other: Tensor,
    _ kernel: @convention(c) (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
  ) -> Tensor { mapElements(with: other, kernel) }

  fileprivate func applyRows(_ compute: (Range<Int>, UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    mapRows(compute)
  }
}

/// Softmax of each row.
public func softmax(_ x: Tensor) -> Tensor {
  let input = x.floats, width = x.columns
  return x.applyRows { range, output in
    memcpy(output + range.lowerBound * width, input + range.lowerBound * width, range.count * width * 4)
    martlet_softmax(output + range.lowerBound * width, Int64(range.count), Int64(width))
  }
}

/// `x / sqrt(mean(x^2) + epsilon) * weight` (Zhang and Sennrich, 2019).
public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float) -> Tensor {
  precondition(weight.count == x.columns, "a weight of \(weight.count) for \(x.shape)")
  let input = x.floats, scale = weight.floats, width = x.columns
  return x.applyRows { range, output in
    let start = range.lowerBound * width
    martlet_rms_norm(input + start, scale, output + start, Int64(range.count), Int64(width), epsilon)
  }
}

/// Normalises each of `groups` equal parts of a row to mean 0 and variance 1 (population variance), then
/// scales and shifts by `weight` and `bias` (`[features]`). One group is layer norm.
public func groupNorm(_ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
  precondition(weight.count == x.columns && bias.count == x.columns, "weights of \(weight.count) for \(x.shape)")
  precondition(x.columns % groups == 0, "\(groups) groups of \(x.shape)")
  let input = x.floats, scale = weight.floats, shift = bias.floats, width = x.columns
  return x.applyRows { range, output in
    let start = range.lowerBound * width
    martlet_group_norm(
      input + start, scale, shift, output + start, Int64(range.count), Int64(width), Int64(groups), epsilon)
  }
}

public func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5) -> Tensor {
  groupNorm(x, groups: 1, weight: weight, bias: bias, epsilon: epsilon)
}

/// `a * mix + previous * (1 - mix)`, one mix (`[features]`) for all rows.
public func lerp(_ a: Tensor, _ previous: Tensor, mix: Tensor) -> Tensor {
  precondition(
    a.shape == previous.shape && mix.count == a.columns, "shapes \(a.shape), \(previous.shape), \(mix.shape)")
  let now = a.floats, before = previous.floats, share = mix.floats, width = a.columns
  return a.applyRows { range, output in
    let start = range.lowerBound * width
    martlet_lerp(now + start, before + start, share, output + start, Int64(range.count), Int64(width))
  }
}

/// Rotary position embedding (Su et al., 2021) of `[rows, heads * size]`; `cosine` and `sine` are
/// `[rows, pairs]`. Pair i is (2i, 2i + 1) when `interleaved`, else (i, i + pairs).
public func rotary(_ x: Tensor, cosine: Tensor, sine: Tensor, heads: Int, interleaved: Bool) -> Tensor {
  let size = x.columns / heads, pairs = cosine.columns, width = x.columns
  precondition(cosine.rows == x.rows && pairs * 2 <= size, "rotary of \(x.shape) by \(cosine.shape)")
  let input = x.floats, c = cosine.floats, s = sine.floats
  return x.applyRows { range, output in
    let start = range.lowerBound * width, angle = range.lowerBound * pairs
    memcpy(output + start, input + start, range.count * width * 4)
    martlet_rotary(
      output + start, c + angle, s + angle, Int64(range.count), Int64(heads), Int64(size), Int64(pairs), interleaved)
  }
}
