import Foundation

/// The discrete Fourier transform of real planes `[height, width]` as an orthonormal map: of two conjugate coefficients the first place holds the
/// real and the second the imaginary part, times the square root of 2; what is its own conjugate is real. Cooley and Tukey's recursion takes
/// factors of 2; an odd factor is computed by the definition.
struct FourierTransform: PlaneTransform {
  private typealias Lanes = SIMD8<Double>
  let height: Int, width: Int
  /// `exp(-2 pi i k / size)` for each size.
  private let roots: [Int: [(cosine: Double, sine: Double)]]

  /// - Throws: ``SensingError`` where the odd factor of a size is too large.
  init(height: Int, width: Int) throws {
    try Self.checkOddFactors("Fourier", height: height, width: width)
    (self.height, self.width) = (height, width)
    var roots: [Int: [(cosine: Double, sine: Double)]] = [:]
    for size in [height, width] {
      roots[size] = (0..<size).map {
        let angle = -2 * Double.pi * Double($0) / Double(size)
        return (cos(angle), sin(angle))
      }
    }
    self.roots = roots
  }

  func forward(_ plane: [Double]) -> [Double] {
    let zero = [Double](repeating: 0, count: plane.count)
    let (real, imaginary) = transform(plane, zero, isForward: true)
    let scale = 1 / Double(plane.count).squareRoot(), other = (2 / Double(plane.count)).squareRoot()
    var result = zero
    for index in result.indices {
      let conjugate = conjugate(of: index)
      if conjugate == index {
        result[index] = real[index] * scale
      } else if index < conjugate {
        result[index] = real[index] * other
        result[conjugate] = imaginary[index] * other
      }
    }
    return result
  }

  func inverse(_ coefficients: [Double]) -> [Double] {
    var real = [Double](repeating: 0, count: coefficients.count), imaginary = real
    let scale = 1 / Double(real.count).squareRoot(), other = scale * 0.5.squareRoot()
    for index in real.indices {
      let conjugate = conjugate(of: index)
      if conjugate == index {
        real[index] = coefficients[index] * scale
      } else if index < conjugate {
        (real[index], imaginary[index]) = (coefficients[index] * other, coefficients[conjugate] * other)
        (real[conjugate], imaginary[conjugate]) = (real[index], -imaginary[index])
      }
    }
    return transform(real, imaginary, isForward: false).0
  }

  private func conjugate(of index: Int) -> Int {
    let row = index / width, column = index % width
    return (row == 0 ? 0 : height - row) * width + (column == 0 ? 0 : width - column)
  }

  /// Both passes, without a factor.
  private func transform(_ real: [Double], _ imaginary: [Double], isForward: Bool) -> ([Double], [Double]) {
    let (a, b) = columns(real, imaginary, rows: height, columns: width, isForward: isForward)
    return columns(a, b, rows: width, columns: height, isForward: isForward)
  }

  /// Transforms the columns of `[rows, columns]`, eight at a time, and returns the transpose, `[columns, rows]`.
  private func columns(
    _ real: [Double], _ imaginary: [Double], rows: Int, columns: Int, isForward: Bool
  ) -> ([Double], [Double]) {
    var result = ([Double](repeating: 0, count: real.count), [Double](repeating: 0, count: real.count))
    var a = [Lanes](repeating: .zero, count: rows), b = a, spaceA = a, spaceB = a
    let roots = roots[rows] ?? []
    for start in stride(from: 0, to: columns, by: 8) {
      let count = min(8, columns - start)
      for row in 0..<rows {
        for lane in 0..<count {
          a[row][lane] = real[row * columns + start + lane]
          b[row][lane] = imaginary[row * columns + start + lane]
        }
      }
      recur(&a, &b, &spaceA, &spaceB, at: 0, rows, roots, isForward ? 1 : -1)
      for row in 0..<rows {
        for lane in 0..<count {
          result.0[(start + lane) * rows + row] = a[row][lane]
          result.1[(start + lane) * rows + row] = b[row][lane]
        }
      }
    }
    return result
  }

  /// Transforms `a + i b` from `at` in place; the space is as large.
  private func recur(
    _ a: inout [Lanes], _ b: inout [Lanes], _ spaceA: inout [Lanes], _ spaceB: inout [Lanes], at: Int, _ count: Int,
    _ roots: [(cosine: Double, sine: Double)], _ sign: Double
  ) {
    guard count > 1 else { return }
    let step = roots.count / count, half = count / 2
    guard count % 2 == 0 else {
      for row in 0..<count {
        var (sumA, sumB) = (Lanes.zero, Lanes.zero)
        for index in 0..<count {
          let root = roots[row * index % count * step], sine = root.sine * sign
          let x: Lanes = a[at + index], y: Lanes = b[at + index]
          sumA += x * root.cosine - y * sine
          sumB += x * sine + y * root.cosine
        }
        (spaceA[at + row], spaceB[at + row]) = (sumA, sumB)
      }
      for index in at..<at + count { (a[index], b[index]) = (spaceA[index], spaceB[index]) }
      return
    }
    for index in 0..<half {
      (spaceA[at + index], spaceB[at + index]) = (a[at + 2 * index], b[at + 2 * index])
      (spaceA[at + half + index], spaceB[at + half + index]) = (a[at + 2 * index + 1], b[at + 2 * index + 1])
    }
    recur(&spaceA, &spaceB, &a, &b, at: at, half, roots, sign)
    recur(&spaceA, &spaceB, &a, &b, at: at + half, half, roots, sign)
    for index in 0..<half {
      let root = roots[index * step], sine = root.sine * sign
      let (x, y) = (spaceA[at + half + index], spaceB[at + half + index])
      let (turnedX, turnedY) = (x * root.cosine - y * sine, x * sine + y * root.cosine)
      a[at + index] = spaceA[at + index] + turnedX
      b[at + index] = spaceB[at + index] + turnedY
      a[at + half + index] = spaceA[at + index] - turnedX
      b[at + half + index] = spaceB[at + index] - turnedY
    }
  }
}
