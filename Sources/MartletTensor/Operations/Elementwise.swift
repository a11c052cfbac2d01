// Elementwise arithmetic with broadcasting: axes are matched from the last one backwards, and an axis of 1 repeats.
// Each function stands beside its gradient, which is made of the same functions: any order of derivative exists.

extension Tensor {
  /// The elementwise sum; shapes broadcast. Precondition: both tensors have the same type.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    // A pullback holds shapes, never tensors: what it needs of those goes through `saving`.
    let shapes = (a.shape, b.shape)
    return Tensor.binary(.add, a, b).recorded(from: [a, b]) { context in
      [context.gradient.summed(to: shapes.0), context.gradient.summed(to: shapes.1)]
    }
  }

  /// The elementwise difference; shapes broadcast. Precondition: both tensors have the same type.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    let shapes = (a.shape, b.shape)
    return Tensor.binary(.subtract, a, b).recorded(from: [a, b]) { context in
      [context.gradient.summed(to: shapes.0), context.needs[1] ? -context.gradient.summed(to: shapes.1) : nil]
    }
  }

  /// The elementwise product; shapes broadcast. Precondition: both tensors have the same type.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    Tensor.binary(.multiply, a, b).recorded(from: [a, b], saving: [a, b]) { context in
      let (a, b) = (context.saved[0], context.saved[1])
      return [
        context.needs[0] ? (context.gradient * b).summed(to: a.shape) : nil,
        context.needs[1] ? (context.gradient * a).summed(to: b.shape) : nil,
      ]
    }
  }

  /// The elementwise quotient; shapes broadcast. Precondition: both tensors have the same type.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    Tensor.binary(.divide, a, b).recorded(from: [a, b], saving: [a, b]) { context in
      let (a, b) = (context.saved[0], context.saved[1])
      let share = context.gradient / b
      return [share.summed(to: a.shape), context.needs[1] ? -(share * a / b).summed(to: b.shape) : nil]
    }
  }

  /// The negative of every element.
  public static prefix func - (x: Tensor) -> Tensor {
    CPU.unary(.negate, x).recorded(from: [x]) { [-$0.gradient] }
  }

  /// The sum of every element and a number.
  public static func + (a: Tensor, b: Double) -> Tensor { a + Tensor(b, dtype: a.dtype) }
  /// The difference of every element and a number.
  public static func - (a: Tensor, b: Double) -> Tensor { a - Tensor(b, dtype: a.dtype) }
  /// The product of every element and a number.
  public static func * (a: Tensor, b: Double) -> Tensor { a * Tensor(b, dtype: a.dtype) }
  /// The quotient of every element and a number.
  public static func / (a: Tensor, b: Double) -> Tensor { a / Tensor(b, dtype: a.dtype) }
  /// The sum of a number and every element.
  public static func + (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) + b }
  /// The difference of a number and every element.
  public static func - (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) - b }
  /// The product of a number and every element.
  public static func * (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) * b }
  /// The quotient of a number and every element.
  public static func / (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) / b }

  /// Every element raised to a constant power.
  public func power(_ exponent: Double) -> Tensor {
    Tensor.binary(.power, self, Tensor(exponent, dtype: dtype)).recorded(from: [self], saving: [self]) {
      [$0.gradient * $0.saved[0].power(exponent - 1) * exponent]
    }
  }

  /// The square of every element.
  public var squared: Tensor { self * self }

  /// 1 where `self` is larger than `other`, else 0. No gradient flows through the result.
  public func isGreater(than other: Tensor) -> Tensor { Tensor.binary(.greater, self, other) }
}

/// The larger of each pair; at a tie the gradient goes to `a`.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  selected(a, b, .maximum, mask: b.isGreater(than: a))
}
/// The smaller of each pair; at a tie the gradient goes to `a`.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  selected(a, b, .minimum, mask: a.isGreater(than: b))
}

/// - Parameter mask: 1 where b is taken.
private func selected(_ a: Tensor, _ b: Tensor, _ operation: CPU.BinaryOperation, mask: Tensor) -> Tensor {
  let shapes = (a.shape, b.shape)
  return Tensor.binary(operation, a, b).recorded(from: [a, b], saving: [mask]) { context in
    let mask = context.saved[0]
    return [
      (context.gradient * (1 - mask)).summed(to: shapes.0), (context.gradient * mask).summed(to: shapes.1),
    ]
  }
}

/// `x` limited to the range between two numbers; the gradient outside the range is 0.
public func clamp(_ x: Tensor, from lowest: Double, to highest: Double) -> Tensor {
  minimum(maximum(x, Tensor(lowest, dtype: x.dtype)), Tensor(highest, dtype: x.dtype))
}

/// `a` where `mask` is 1, `b` where it is 0.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { mask * a + (1 - mask) * b }

/// `e^x`.
public func exp(_ x: Tensor) -> Tensor {
  CPU.unary(.exp, x).recorded(from: [x], savesOutput: true) { [$0.gradient * $0.saved[0]] }
}
/// The natural logarithm.
public func log(_ x: Tensor) -> Tensor {
  CPU.unary(.log, x).recorded(from: [x], saving: [x]) { [$0.gradient / $0.saved[0]] }
}
/// The square root.
public func sqrt(_ x: Tensor) -> Tensor {
  CPU.unary(.squareRoot, x).recorded(from: [x], savesOutput: true) { [$0.gradient / $0.saved[0] * 0.5] }
}
/// `1 / sqrt(x)`.
public func rsqrt(_ x: Tensor) -> Tensor {
  CPU.unary(.reciprocalSquareRoot, x).recorded(from: [x], savesOutput: true) { context in
    let y = context.saved[0]
    return [context.gradient * y * y * y * -0.5]
  }
}
/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor {
  CPU.unary(.tanh, x).recorded(from: [x], savesOutput: true) { [$0.gradient * (1 - $0.saved[0].squared)] }
}
/// The sine of angles in radians.
public func sin(_ x: Tensor) -> Tensor {
  CPU.unary(.sin, x).recorded(from: [x], saving: [x]) { [$0.gradient * cos($0.saved[0])] }
}
/// The cosine of angles in radians.
public func cos(_ x: Tensor) -> Tensor {
  CPU.unary(.cos, x).recorded(from: [x], saving: [x]) { [-($0.gradient * sin($0.saved[0]))] }
}
/// The error function.
public func erf(_ x: Tensor) -> Tensor {
  CPU.unary(.erf, x).recorded(from: [x], saving: [x]) { context in
    [context.gradient * exp(-context.saved[0].squared) * 1.1283791670955126]  // 2 / sqrt(pi)
  }
}
/// The absolute value; its gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  CPU.unary(.absolute, x).recorded(from: [x], saving: [x]) { [$0.gradient * CPU.unary(.sign, $0.saved[0])] }
}
/// `log(1 + e^x)`.
public func softplus(_ x: Tensor) -> Tensor {
  CPU.unary(.softplus, x).recorded(from: [x], saving: [x]) { [$0.gradient * sigmoid($0.saved[0])] }
}

extension Tensor {
  /// `operation` of two tensors that broadcast, which is not recorded.
  fileprivate static func binary(_ operation: CPU.BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.dtype == b.dtype, "\(a.dtype) \(a.shape) beside \(b.dtype) \(b.shape)")
    return CPU.binary(operation, a, b, shape: a.shape == b.shape ? a.shape : broadcastShape(a.shape, b.shape))
  }

  /// `self + bias`, the bias (`[features]`) added to each row of a contiguous tensor. No gradient is recorded.
  public func adding(bias: Tensor) -> Tensor {
    precondition(bias.count == columns, "a bias of \(bias.count) for \(shape)")
    return CPU.addBias(self, bias)
  }
}
