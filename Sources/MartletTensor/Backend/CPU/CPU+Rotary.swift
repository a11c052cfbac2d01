import CMartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension CPU {
  /// - Parameters:
  ///   - x: `[rows, heads * size]`
  ///   - cosine: `[rows, pairs]`, as `sine`.
  static func rotary(_ x: Tensor, cosine: Tensor, sine: Tensor, heads: Int, interleaved: Bool) -> Tensor {
    let width = x.columns, size = width / heads, pairs = cosine.columns
    let input = x.floats, c = cosine.floats, s = sine.floats
    return mapRows(like: x) { range, output in
      let start = range.lowerBound * width, angle = range.lowerBound * pairs
      memcpy(output + start, input + start, range.count * width * 4)
      martlet_rotary(
        output + start, c + angle, s + angle, Int64(range.count), Int64(heads), Int64(size), Int64(pairs), interleaved)
    }
  }
}
