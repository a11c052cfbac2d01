import CMartletKernels

extension CPU {
  static func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Double) -> Tensor {
    let input = x.floats, scale = weight.floats, width = x.columns
    return mapRows(like: x) { range, output in
      let start = range.lowerBound * width
      martlet_rms_norm(input + start, scale, output + start, Int64(range.count), Int64(width), Float(epsilon))
    }
  }

  static func rmsNormGradient(
    _ x: Tensor, weight: Tensor, epsilon: Double, _ gradient: Tensor
  ) -> (x: Tensor, weight: Tensor) {
    let (rows, columns, result) = (x.rows, x.columns, Tensor.empty(x.shape))
    let (a, w, g, dx) = (x.floats, weight.floats, gradient.floats, result.mutableFloats)
    let sums = summedOverRows(rows: rows, columns: columns, count: 1) { range, sums in
      let start = range.lowerBound * columns
      martlet_rms_norm_backward(
        a + start, w, g + start, dx + start, sums, Int64(range.count), Int64(columns), Float(epsilon))
    }
    return (result, sums[0])
  }

  static func groupNorm(_ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
    let input = x.floats, scale = weight.floats, shift = bias.floats, width = x.columns
    return mapRows(like: x) { range, output in
      let start = range.lowerBound * width
      martlet_group_norm(
        input + start, scale, shift, output + start, Int64(range.count), Int64(width), Int64(groups), Float(epsilon))
    }
  }

  static func groupNormGradient(
    _ x: Tensor, groups: Int, weight: Tensor, epsilon: Double, _ gradient: Tensor
  ) -> (x: Tensor, weight: Tensor, bias: Tensor) {
    let (rows, columns, result) = (x.rows, x.columns, Tensor.empty(x.shape))
    let (a, w, g, dx) = (x.floats, weight.floats, gradient.floats, result.mutableFloats)
    let sums = summedOverRows(rows: rows, columns: columns, count: 2) { range, sums in
      let start = range.lowerBound * columns
      martlet_group_norm_backward(
        a + start, w, g + start, dx + start, sums, sums + columns, Int64(range.count), Int64(columns), Int64(groups),
        Float(epsilon))
    }
    return (result, sums[0], sums[1])
  }
}
