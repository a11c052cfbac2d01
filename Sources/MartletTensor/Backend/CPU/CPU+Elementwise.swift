import CMartletKernels

extension CPU {
  /// Functions of one number.
  enum UnaryOperation {
    case negate, exp, log, squareRoot, reciprocalSquareRoot, tanh, sigmoid, softplus, sin, cos, erf, absolute, sign,
      relu
    /// 1 above 0, else 0.
    case step

    fileprivate var code: martlet_unary_op {
      switch self {
      case .negate: MARTLET_OP_NEGATE
      case .exp: MARTLET_OP_EXP
      case .log: MARTLET_OP_LOG
      case .squareRoot: MARTLET_OP_SQRT
      case .reciprocalSquareRoot: MARTLET_OP_RSQRT
      case .tanh: MARTLET_OP_TANH
      case .sigmoid: MARTLET_OP_SIGMOID
      case .softplus: MARTLET_OP_SOFTPLUS
      case .sin: MARTLET_OP_SIN
      case .cos: MARTLET_OP_COS
      case .erf: MARTLET_OP_ERF
      case .absolute: MARTLET_OP_ABS
      case .sign: MARTLET_OP_SIGN
      case .relu: MARTLET_OP_RELU
      case .step: MARTLET_OP_STEP
      }
    }
  }

  /// Functions of two numbers.
  enum BinaryOperation {
    case add, subtract, multiply, divide, maximum, minimum, power
    /// 1 where the first number is larger, else 0.
    case greater

    fileprivate var code: martlet_binary_op {
      switch self {
      case .add: MARTLET_OP_ADD
      case .subtract: MARTLET_OP_SUBTRACT
      case .multiply: MARTLET_OP_MULTIPLY
      case .divide: MARTLET_OP_DIVIDE
      case .maximum: MARTLET_OP_MAXIMUM
      case .minimum: MARTLET_OP_MINIMUM
      case .power: MARTLET_OP_POWER
      case .greater: MARTLET_OP_GREATER
      }
    }
  }

  /// `operation` of every element, in single or double precision; `x` need not be contiguous.
  static func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
    let code = operation.code, x = x.contiguous(), result = Tensor.empty(x.shape, dtype: x.dtype)
    withExtendedLifetime(x) {
      if x.dtype == .float64 {
        martlet_unary_double(code, x.doubles, result.mutableDoubles, Int64(x.count))
      } else {
        let input = x.floats, output = result.mutableFloats
        Parallel.forEach(x.count, grain: grainElements) { range in
          martlet_unary(code, input + range.lowerBound, output + range.lowerBound, Int64(range.count))
        }
      }
    }
    return result
  }

  /// `operation` of every pair of elements of two tensors that broadcast to `shape`, in single or double precision, with
  /// any strides.
  static func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor {
    let code = operation.code, result = Tensor.empty(shape, dtype: a.dtype)
    if a.dtype == .float32, a.shape == b.shape, a.isContiguous, b.isContiguous {
      let (x, z, y) = (a.floats, b.floats, result.mutableFloats)
      Parallel.forEach(result.count, grain: grainElements) { range in
        martlet_binary(
          code, x + range.lowerBound, 1, z + range.lowerBound, 1, y + range.lowerBound, Int64(range.count))
      }
      return result
    }
    let isDouble = a.dtype == .float64, size = a.dtype.byteCount
    let loop = StridedLoop(shape: shape, [a.broadcastStrides(shape), b.broadcastStrides(shape)])
    let (first, second, output) = (a.base, b.base, result.base)
    loop.forEachRun { places, steps, start, count in
      let x = first + places[0] * size, z = second + places[1] * size, y = output + start * size
      if isDouble {
        martlet_binary_double(
          code, x.assumingMemoryBound(to: Double.self), Int64(steps[0]), z.assumingMemoryBound(to: Double.self),
          Int64(steps[1]), y.assumingMemoryBound(to: Double.self), Int64(count))
      } else {
        martlet_binary(
          code, x.assumingMemoryBound(to: Float.self), Int64(steps[0]), z.assumingMemoryBound(to: Float.self),
          Int64(steps[1]), y.assumingMemoryBound(to: Float.self), Int64(count))
      }
    }
    return result
  }

  /// Writes the elements of `source` over those of `target`, of the same shape and type, both with any strides. The
  /// target is fresh: nobody else has seen it.
  static func copy(_ source: Tensor, to target: Tensor) {
    precondition(
      target.dtype == source.dtype && (target.dtype.byteCount == 4 || target.dtype.byteCount == 8),
      "copying \(target.dtype)")
    let size = target.dtype.byteCount
    let loop = StridedLoop(shape: target.shape, [source.strides, target.strides])
    let (from, to) = (source.base, target.base)
    loop.forEachRun { offsets, steps, _, count in
      let x = from + offsets[0] * size, y = to + offsets[1] * size
      if steps[0] == 1, steps[1] == 1 {
        y.copyMemory(from: x, byteCount: count * size)
      } else if steps[1] == 1 {
        martlet_copy_strided(x, Int64(steps[0]), y, Int64(count), Int64(size))
      } else {
        for i in 0..<count {
          (y + i * steps[1] * size).copyMemory(from: x + i * steps[0] * size, byteCount: size)
        }
      }
    }
  }

  /// `x + bias`, the bias (`[features]`) added to each row.
  static func addBias(_ x: Tensor, _ bias: Tensor) -> Tensor {
    let input = x.floats, values = bias.floats, width = x.columns
    return mapRows(like: x) { range, output in
      (output + range.lowerBound * width).update(from: input + range.lowerBound * width, count: range.count * width)
      martlet_add_bias(output + range.lowerBound * width, values, Int64(range.count), Int64(width))
    }
  }

  /// `a * mix + previous * (1 - mix)` with one mix a column.
  static func lerp(_ a: Tensor, _ previous: Tensor, mix: Tensor) -> Tensor {
    let now = a.floats, before = previous.floats, share = mix.floats, width = a.columns
    return mapRows(like: a) { range, output in
      let start = range.lowerBound * width
      martlet_lerp(now + start, before + start, share, output + start, Int64(range.count), Int64(width))
    }
  }

  /// The gradients of ``lerp(_:_:mix:)``; that of the mix is `[columns]`.
  static func lerpGradient(
    _ a: Tensor, _ previous: Tensor, mix: Tensor, _ gradient: Tensor
  ) -> (a: Tensor, previous: Tensor, mix: Tensor) {
    let (rows, columns, dA, dPrevious) = (a.rows, a.columns, Tensor.empty(a.shape), Tensor.empty(a.shape))
    let (now, before, share, g) = (a.floats, previous.floats, mix.floats, gradient.floats)
    let (x, y) = (dA.mutableFloats, dPrevious.mutableFloats)
    let sums = summedOverRows(rows: rows, columns: columns, count: 1) { range, sums in
      let start = range.lowerBound * columns
      martlet_lerp_backward(
        now + start, before + start, share, g + start, x + start, y + start, sums, Int64(range.count), Int64(columns))
    }
    return (dA, dPrevious, sums[0])
  }
}
