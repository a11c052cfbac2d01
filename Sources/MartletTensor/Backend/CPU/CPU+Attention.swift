import CMartletKernels

extension CPU {
  /// Causal self-attention within each span, forward and backward. Neither direction keeps the `[rows, rows]` weights:
  /// backward computes them again, block by block of queries.
  struct Attention: Sendable {
    let heads, keyValueHeads, size: Int
    let spans: [Range<Int>]
    private static let block = 64

    var group: Int { heads / keyValueHeads }
    /// What products of queries and keys are multiplied by.
    var scale: Double { 1 / Double(size).squareRoot() }

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

    /// - Parameters:
    ///   - query: `[rows, heads * size]`
    ///   - key: `[rows, keyValueHeads * size]`, as `value`.
    func forward(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
      let result = Tensor.empty(query.shape)
      let (q, k, v, y) = (query.floats, key.floats, value.floats, result.mutableFloats)
      forEachHead { span, keyHead in
        let scratch = Tensor.empty([Self.block, span.count])
        withExtendedLifetime(scratch) {
          for head in keyHead * group..<(keyHead + 1) * group {
            for block in blocks(span) {
              let visible = span.lowerBound..<block.upperBound
              weights(q, k, head: head, block: block, span: span, scratch.mutableFloats)
              multiply(
                Matrix(
                  scratch.floats, rows: block.count, columns: visible.count, rowStep: visible.count, columnStep: 1),
                matrix(v, visible, keyHead, of: keyValueHeads), y + (block.lowerBound * heads + head) * size,
                resultStep: heads * size, inParallel: false)
            }
          }
        }
      }
      return result
    }

    /// The gradients of query, key and value.
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
        withExtendedLifetime((probabilities, slopes, part)) {
          for head in keyHead * group..<(keyHead + 1) * group {
            for block in blocks(span) {
              let visible = span.lowerBound..<block.upperBound, width = visible.count
              weights(q, k, head: head, block: block, span: span, probabilities.mutableFloats)
              let above = matrix(g, block, head, of: heads)
              multiply(
                above, matrix(v, visible, keyHead, of: keyValueHeads).transposed, slopes.mutableFloats,
                inParallel: false)
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
      }
      return [dQuery, dKey, dValue]
    }
  }
}
