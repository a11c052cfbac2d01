import MartletKernels

// Elementwise arithmetic with broadcasting: axes are matched from the last one backwards, and an axis of 1 repeats.
// Each function stands beside its gradient, which is made of the same functions: any order of derivative exists.

/// Elements that one thread works on at a time, about two microseconds of work: small tensors stay on the
/// calling thread.
let grainElements = 4096

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    // A pullback holds shapes, never tensors: what it needs of those goes through `saving`.
    let shapes = (a.shape, b.shape)
    return binary(MARTLET_OP_ADD, a, b).recorded(from: [a, b]) { context in
      [context.gradient.summed(to: shapes.0), context.gradient.summed(to: shapes.1)]
    }
  }

  public static func - (a: Tensor, b: Tensor) -> Tensor {
    let shapes = (a.shape, b.shape)
    return binary(MARTLET_OP_SUBTRACT, a, b).recorded(from: [a, b]) { context in
      [context.gradient.summed(to: shapes.0), context.needs[1] ? -context.gradient.summed(to: shapes.1) : nil]
    }
  }

  public static func * (a: Tensor, b: Tensor) -> Tensor {
    binary(MARTLET_OP_MULTIPLY, a, b).recorded(from: [a, b], saving: [a, b]) { context in
      let (a, b) = (context.saved[0], context.saved[1])
      return [
        context.needs[0] ? (context.gradient * b).summed(to: a.shape) : nil,
        context.needs[1] ? (context.gradient * a).summed(to: b.shape) : nil,
      ]
    }
  }

  public static func / (a: Tensor, b: Tensor) -> Tensor {
    binary(MARTLET_OP_DIVIDE, a, b).recorded(from: [a, b], saving: [a, b]) { context in
      let (a, b) = (context.saved[0], context.saved[1])
      let share = context.gradient / b
      return [share.summed(to: a.shape), context.needs[1] ? -(share * a / b).summed(to: b.shape) : nil]
    }
  }

  public static prefix func - (x: Tensor) -> Tensor {
    unary(MARTLET_OP_NEGATE, x).recorded(from: [x]) { [-$0.gradient] }
  }

  public static func + (a: Tensor, b: Double) -> Tensor { a + Tensor(b, dtype: a.dtype) }
  public static func - (a: Tensor, b: Double) -> Tensor { a - Tensor(b, dtype: a.dtype) }
  public static func * (a: Tensor, b: Double) -> Tensor { a * Tensor(b, dtype: a.dtype) }
  public static func / (a: Tensor, b: Double) -> Tensor { a / Tensor(b, dtype: a.dtype) }
  public static func + (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) + b }
  public static func - (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) - b }
  public static func * (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) * b }
  public static func / (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) / b }

  /// `self` to a constant power.
  public func power(_ exponent: Double) -> Tensor {
    Tensor.binary(MARTLET_OP_POWER, self, Tensor(exponent, dtype: dtype)).recorded(from: [self], saving: [self]) {
      [$0.gradient * $0.saved[0].power(exponent - 1) * exponent]
    }
  }

  public var squared: Tensor { self * self }

  /// 1 where `self` is larger than `other`, else 0: a constant.
  public func isGreater(than other: Tensor) -> Tensor { Tensor.binary(MARTLET_OP_GREATER, self, other) }
}

/// The larger of each pair; at a tie the gradient goes to `a`.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  selected(a, b, MARTLET_OP_MAXIMUM, mask: b.isGreater(than: a))
}
/// The smaller of each pair; at a tie the gradient goes to `a`.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  selected(a, b, MARTLET_OP_MINIMUM, mask: a.isGreater(than: b))
}

/// - Parameter mask: 1 where b is taken.
private func selected(_ a: Tensor, _ b: Tensor, _ operation: martlet_binary_op, mask: Tensor) -> Tensor {
  let shapes = (a.shape, b.shape)
  return Tensor.binary(operation, a, b).recorded(from: [a, b], saving: [mask]) { context in
    let mask = context.saved[0]
    return [
      (context.gradient * (1 - mask)).summed(to: shapes.0), (context.gradient * mask).summed(to: shapes.1),
    ]
  }
}

/// `x` held between two numbers; no gradient flows outside them.
public func clamp(_ x: Tensor, from lowest: Double, to highest: Double) -> Tensor {
  minimum(maximum(x, Tensor(lowest, dtype: x.dtype)), Tensor(highest, dtype: x.dtype))
}

/// `a` where `mask` is 1, `b` where it is 0.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { mask * a + (1 - mask) * b }

public func exp(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_EXP, x).recorded(from: [x], savesOutput: true) { [$0.gradient * $0.saved[0]] }
}
public func log(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_LOG, x).recorded(from: [x], saving: [x]) { [$0.gradient / $0.saved[0]] }
}
public func sqrt(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_SQRT, x).recorded(from: [x], savesOutput: true) { [$0.gradient / $0.saved[0] * 0.5] }
}
/// `1 / sqrt(x)`.
public func rsqrt(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_RSQRT, x).recorded(from: [x], savesOutput: true) { context in
    let y = context.saved[0]
    return [context.gradient * y * y * y * -0.5]
  }
}
public func tanh(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_TANH, x).recorded(from: [x], savesOutput: true) { [$0.gradient * (1 - $0.saved[0].squared)] }
}
public func sin(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_SIN, x).recorded(from: [x], saving: [x]) { [$0.gradient * cos($0.saved[0])] }
}
public func cos(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_COS, x).recorded(from: [x], saving: [x]) { [-($0.gradient * sin($0.saved[0]))] }
}
/// The error function.
public func erf(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_ERF, x).recorded(from: [x], saving: [x]) { context in
    [context.gradient * exp(-context.saved[0].squared) * 1.1283791670955126]  // 2 / sqrt(pi)
  }
}
public func abs(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_ABS, x).recorded(from: [x], saving: [x]) { [$0.gradient * unary(MARTLET_OP_SIGN, $0.saved[0])] }
}
/// `log(1 + e^x)`.
public func softplus(_ x: Tensor) -> Tensor {
  unary(MARTLET_OP_SOFTPLUS, x).recorded(from: [x], saving: [x]) { [$0.gradient * sigmoid($0.saved[0])] }
}

// MARK: - Running the kernels

func unary(_ operation: martlet_unary_op, _ x: Tensor) -> Tensor {
  let x = x.contiguous(), result = Tensor.empty(x.shape, dtype: x.dtype)
  if x.dtype == .float64 {
    martlet_unary_double(operation, x.doubles, result.mutableDoubles, Int64(x.count))
  } else {
    let input = x.floats, output = result.mutableFloats
    Parallel.forEach(x.count, grain: grainElements) { range in
      martlet_unary(operation, input + range.lowerBound, output + range.lowerBound, Int64(range.count))
    }
  }
  return result
}

extension Tensor {
  static func binary(_ operation: martlet_binary_op, _ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.dtype == b.dtype, "\(a.dtype) \(a.shape) beside \(b.dtype) \(b.shape)")
    let shape = a.shape == b.shape ? a.shape : broadcastShape(a.shape, b.shape)
    let result = Tensor.empty(shape, dtype: a.dtype)
    if a.dtype == .float32, a.shape == b.shape, a.isContiguous, b.isContiguous {
      let (x, z, y) = (a.floats, b.floats, result.mutableFloats)
      Parallel.forEach(result.count, grain: grainElements) { range in
        martlet_binary(
          operation, x + range.lowerBound, 1, z + range.lowerBound, 1, y + range.lowerBound, Int64(range.count))
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
          operation, x.assumingMemoryBound(to: Double.self), Int64(steps[0]), z.assumingMemoryBound(to: Double.self),
          Int64(steps[1]), y.assumingMemoryBound(to: Double.self), Int64(count))
      } else {
        martlet_binary(
          operation, x.assumingMemoryBound(to: Float.self), Int64(steps[0]), z.assumingMemoryBound(to: Float.self),
          Int64(steps[1]), y.assumingMemoryBound(to: Float.self), Int64(count))
      }
    }
    return result
  }
}
