#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Uniformly distributed values between two numbers.
public func uniform(_ shape: [Int], from low: Double, to high: Double, random: RandomSource) -> Tensor {
  filled(shape) { low + (high - low) * random.uniform($0) }
}

/// Normally distributed values with mean 0 (Box and Muller, 1958).
public func normal(_ shape: [Int], deviation: Double = 1, random: RandomSource) -> Tensor {
  filled(shape) { index in
    let radius = (-2 * log(1 - random.uniform(2 * index))).squareRoot()
    return deviation * radius * cos(2 * Double.pi * random.uniform(2 * index + 1))
  }
}

/// `gain` times a matrix with orthonormal rows, or columns if there are more rows than columns (Saxe et al., 2014):
/// normally distributed values, orthogonalised row by row in double precision.
public func orthogonal(_ shape: [Int], gain: Double = 1, random: RandomSource) -> Tensor {
  precondition(shape.count == 2, "an orthogonal matrix of shape \(shape)")
  let isTall = shape[0] > shape[1]
  let count = min(shape[0], shape[1]), length = max(shape[0], shape[1])
  var rows = (0..<count).map { row -> [Double] in
    (0..<length).map { column in
      let index = row * length + column
      return (-2 * log(1 - random.uniform(2 * index))).squareRoot() * cos(2 * Double.pi * random.uniform(2 * index + 1))
    }
  }
  // Modified Gram-Schmidt: a finished row is taken out of all later ones, in parallel.
  for row in 0..<count {
    let norm = rows[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
    let unit = rows[row].map { $0 / norm }
    rows[row] = unit
    rows.withUnsafeMutableBufferPointer { rows in
      nonisolated(unsafe) let rows = rows
      Parallel.forEach(count - row - 1, grain: max(1, 16384 / length)) { range in
        for other in range {
          let place = row + 1 + other
          rows[place].withUnsafeMutableBufferPointer { values in
            var dot = 0.0
            for i in 0..<length { dot += values[i] * unit[i] }
            for i in 0..<length { values[i] -= dot * unit[i] }
          }
        }
      }
    }
  }
  return Tensor(shape: shape) { bytes in
    let target = bytes.assumingMemoryBound(to: Float.self)
    for i in 0..<shape[0] {
      for j in 0..<shape[1] { target[i * shape[1] + j] = Float(gain * (isTall ? rows[j][i] : rows[i][j])) }
    }
  }
}

private func filled(_ shape: [Int], _ value: (Int) -> Double) -> Tensor {
  let result = Tensor.empty(shape)
  let target = result.mutableFloats
  Parallel.forEach(result.count, grain: 4096) { range in
    for index in range { target[index] = Float(value(index)) }
  }
  return result
}

/// Sets each value to 0 with probability `rate` and scales the others up, so that the mean is preserved (Srivastava et
/// al., 2014).
public func dropout(_ x: Tensor, rate: Double, random: RandomSource) -> Tensor {
  if rate == 0 { return x }
  return x * filled(x.shape) { random.uniform($0) < rate ? 0 : 1 / (1 - rate) }.cast(to: x.dtype)
}
