import MartletKernels

/// Causal self-attention within each span, from its first row (Vaswani et al., 2017), with grouped heads: for
/// training, where nothing is cached.
///
/// Neither direction keeps the `[rows, rows]` weights: backward computes them again, block by block of queries.
///
/// - Parameters:
///   - query: `[rows, heads * size]`
///   - key: `[rows, keyValueHeads * size]`.
///   - value: `[rows, keyValueHeads * size]`.
///   - heads: of the queries.
///   - keyValueHeads: of keys and values; a divisor of `heads`.
///   - spans: which rows belong to which sequence.
/// - Returns: `[rows, heads * size]`
public func attention(
  query: Tensor, key: Tensor, value: Tensor, heads: Int, keyValueHeads: Int, spans: [Range<Int>]
) -> Tensor {
  let geometry = AttentionGeometry(
    rows: query.rows, heads: heads, keyValueHeads: keyValueHeads, size: query.columns / heads, spans: spans)
  precondition(
    query.columns == heads * geometry.size && key.columns == keyValueHeads * geometry.size && value.shape == key.shape
      && heads % keyValueHeads == 0, "\(query.shape), \(key.shape), \(value.shape) in \(heads) heads")
  return fused([query, key, value]) {
    geometry.composed($0[0], $0[1], $0[2])
  } pullback: { context in
    geometry.backward(
      context.saved[0].contiguous(), context.saved[1].contiguous(), context.saved[2].contiguous(),
      context.gradient.contiguous())
  } forward: {
    geometry.forward(query.contiguous(), key.contiguous(), value.contiguous())
  }
}

private struct AttentionGeometry: Sendable {
  let rows, heads, keyValueHeads, size: Int
  let spans: [Range<Int>]
  private static let block = 64

  var group: Int { heads / keyValueHeads }
  var scale: Double { 1 / Double(size).squareRoot() }

  func composed(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
    let parts = spans.map { span -> Tensor in
      let length = span.count
      let q = query.rows(span).reshaped([length, keyValueHeads, group, size]).permuted([1, 2, 0, 3])
      let k = key.rows(span).reshaped([length, keyValueHeads, 1, size]).permuted([1, 2, 3, 0])
      let v = value.rows(span).reshaped([length, keyValueHeads, 1, size]).permuted([1, 2, 0, 3])
      let hidden = Tensor(
        doubles: (0..<length * length).map { $0 % length > $0 / length ? -1e300.squareRoot() : 0.0 },
        shape: [length, length],
        dtype: query.dtype)
      let weights = softmax(matmul(q, k) * scale + hidden)
      return matmul(weights, v).permuted([2, 0, 1, 3]).reshaped([length, heads * size])
    }
    return concatenated(parts)
  }

  private func matrix(_ base: UnsafePointer<Float>, _ rows: Range<Int>, _ head: Int, of count: Int) -> Matrix {
    Matrix(
      base + rows.lowerBound * count * size + head * size, rows: rows.count, columns: size, rowStep: count * size,
      columnStep: 1)
  }

  /// Runs `body` on every (span, key/value head), in parallel.
  private func forEachHead(_ body: (_ span: Range<Int>, _ head: Int) -> Void) {
    Parallel.run(spans.count * keyValueHeads) { body(spans[$0 / keyValueHeads], $0 % keyValueHeads) }
  }

  /// The weights of queries `block` of one head: `[block, block.upperBound - span.lowerBound]` in `weights`.
  private func weights(
    _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>, head: Int, block: Range<Int>, span: Range<Int>,
    _ weights: UnsafeMutablePointer<Float>
  ) {
    let visible = span.lowerBound..<block.upperBound, width = visible.count
    multiply(
      matrix(q, block, head, of: heads), matrix(k, visible, head / group, of: keyValueHeads).transposed, weights,
      inParallel: false)
    martlet_scale(weights, Float(scale), weights, Int64(block.count * width))
    for (place, row) in block.enumerated() {
      let last = row - span.lowerBound + 1
      martlet_softmax(weights + place * width, 1, Int64(last))
      (weights + place * width + last).update(repeating: 0, count: width - last)
    }
  }

  private func blocks(_ span: Range<Int>) -> [Range<Int>] {
    stride(from: span.lowerBound, to: span.upperBound, by: Self.block).map {
      $0..<min($0 + Self.block, span.upperBound)
    }
  }

  func forward(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
    let result = Tensor.empty(query.shape)
    let (q, k, v, y) = (query.floats, key.floats, value.floats, result.mutableFloats)
    forEachHead { span, keyHead in
      let scratch = Tensor.empty([Self.block, span.count])
      for head in keyHead * group..<(keyHead + 1) * group {
        for block in blocks(span) {
          let visible = span.lowerBound..<block.upperBound
          weights(q, k, head: head, block: block, span: span, scratch.mutableFloats)
          multiply(
            Matrix(scratch.floats, rows: block.count, columns: visible.count, rowStep: visible.count, columnStep: 1),
            matrix(v, visible, keyHead, of: keyValueHeads), y + (block.lowerBound * heads + head) * size,
            resultStep: heads * size, inParallel: false)
        }
      }
    }
    return result
  }

  func backward(_ query: Tensor, _ key: Tensor, _ value: Tensor, _ gradient: Tensor) -> [Tensor] {
    let (dQuery, dKey, dValue) = (Tensor.empty(query.shape), Tensor.zeros(key.shape), Tensor.zeros(value.shape))
    let (q, k, v, g) = (query.floats, key.floats, value.floats, gradient.floats)
    let (dq, dk, dv) = (dQuery.mutableFloats, dKey.mutableFloats, dValue.mutableFloats)
    forEachHead { span, keyHead in
      let probabilities = Tensor.empty([Self.block, span.count]), slopes = Tensor.empty([Self.block, span.count])
      let part = Tensor.empty([span.count, size])
      // target[rows, size] += a b
      func accumulate(_ a: Matrix, _ b: Matrix, _ target: UnsafeMutablePointer<Float>, from first: Int) {
        multiply(a, b, part.mutableFloats, inParallel: false)
        for row in 0..<a.rows {
          let place = target + ((first + row) * keyValueHeads + keyHead) * size
          martlet_add(place, part.floats + row * size, place, Int64(size))
        }
      }
      for head in keyHead * group..<(keyHead + 1) * group {
        for block in blocks(span) {
          let visible = span.lowerBound..<block.upperBound, width = visible.count
          weights(q, k, head: head, block: block, span: span, probabilities.mutableFloats)
          let above = matrix(g, block, head, of: heads)
          multiply(
            above, matrix(v, visible, keyHead, of: keyValueHeads).transposed, slopes.mutableFloats, inParallel: false)
          martlet_softmax_backward(
            probabilities.floats, slopes.floats, slopes.mutableFloats, Int64(block.count), Int64(width))
          martlet_scale(slopes.floats, Float(scale), slopes.mutableFloats, Int64(block.count * width))
          let p = Matrix(probabilities.floats, rows: block.count, columns: width, rowStep: width, columnStep: 1)
          let s = Matrix(slopes.floats, rows: block.count, columns: width, rowStep: width, columnStep: 1)
          multiply(
            s, matrix(k, visible, keyHead, of: keyValueHeads), dq + (block.lowerBound * heads + head) * size,
            resultStep: heads * size, inParallel: false)
          accumulate(s.transposed, matrix(q, block, head, of: heads), dk, from: span.lowerBound)
          accumulate(p.transposed, above, dv, from: span.lowerBound)
        }
      }
    }
    return [dQuery, dKey, dValue]
  }
}

extension Matrix {
  fileprivate var transposed: Matrix {
    Matrix(base, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep)
  }
}
