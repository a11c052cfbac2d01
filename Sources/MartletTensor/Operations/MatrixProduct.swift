/// The matrix product `[.., m, k]` times `[.., k, n]`; leading axes broadcast. Transposed views are not copied.
///
/// - Parameters:
///   - a: `[.., m, k]`.
///   - b: `[.., k, n]`.
///   - precision: `.bf16` rounds both factors to bfloat16 and accumulates in single precision, in the product and in
///     its gradients. It is twice as fast on machines with bfloat16 instructions.
public func matmul(_ a: Tensor, _ b: Tensor, precision: MatrixPrecision = .f32) -> Tensor {
  product(a, b, precision).recorded(from: [a, b], saving: [a, b]) { context in
    let (a, b, g) = (context.saved[0], context.saved[1], context.gradient)
    return [
      context.needs[0]
        ? matmul(g, b.transposed(b.shape.count - 2, b.shape.count - 1), precision: precision)
          .summed(to: a.shape) : nil,
      context.needs[1]
        ? matmul(a.transposed(a.shape.count - 2, a.shape.count - 1), g, precision: precision)
          .summed(to: b.shape) : nil,
    ]
  }
}

/// The precision to which the factors of a matrix product are rounded.
public enum MatrixPrecision: String, Sendable, Codable, CaseIterable {
  /// Single precision, which does not round, and bfloat16.
  case f32, bf16
}

private func product(_ a: Tensor, _ b: Tensor, _ precision: MatrixPrecision) -> Tensor {
  precondition(a.shape.count >= 2 && b.shape.count >= 2, "matrices are needed, not \(a.shape) and \(b.shape)")
  precondition(a.shape[a.shape.count - 1] == b.shape[b.shape.count - 2], "\(a.shape) times \(b.shape)")
  precondition(a.dtype == b.dtype, "\(a.dtype) times \(b.dtype)")
  let batch = broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
  return CPU.matmul(a, b, batch: batch, precision)
}
