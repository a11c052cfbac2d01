import Foundation

/// The orthonormal discrete cosine transform (type II) of planes `[height, width]`, and its inverse (type III), after B. G. Lee, "A new
/// algorithm to compute the discrete cosine transform", 1984. Eight columns are transformed at a time; an odd factor of a size is
/// computed by the definition.
struct CosineTransform: PlaneTransform {
  typealias Lanes = SIMD8<Double>
  let height: Int, width: Int
  /// For each size of the recursion, `1 / (2 cos((i + 1/2) pi / size))`.
  private let factors: [Int: [Double]]
  /// For each odd size, `cos(k (i + 1/2) pi / size)`, `[k, i]`.
  private let cosines: [Int: [Double]]

  init(height: Int, width: Int) {
    (self.height, self.width) = (height, width)
    var factors: [Int: [Double]] = [:], cosines: [Int: [Double]] = [:]
    for size in [height, width] {
      var size = size
      while size % 2 == 0 {
        let count = size
        factors[count] = (0..<count / 2).map { 0.5 / cos((Double($0) + 0.5) * .pi / Double(count)) }
        size /= 2
      }
      let odd = size
      cosines[odd] = (0..<odd * odd).map { cos(Double($0 / odd) * (Double($0 % odd) + 0.5) * .pi / Double(odd)) }
    }
    (self.factors, self.cosines) = (factors, cosines)
  }

  func forward(_ plane: [Double]) -> [Double] { transform(plane, isForward: true) }
  func inverse(_ plane: [Double]) -> [Double] { transform(plane, isForward: false) }

  private func transform(_ plane: [Double], isForward: Bool) -> [Double] {
    let turned = columns(plane, rows: height, columns: width, isForward: isForward)
    return columns(turned, rows: width, columns: height, isForward: isForward)
  }

  /// Transforms the columns of `[rows, columns]` and returns the transpose, `[columns, rows]`.
  private func columns(_ plane: [Double], rows: Int, columns: Int, isForward: Bool) -> [Double] {
    var result = [Double](repeating: 0, count: plane.count)
    var values = [Lanes](repeating: .zero, count: rows), space = values
    let first = (1 / Double(rows)).squareRoot(), other = (2 / Double(rows)).squareRoot()
    for start in stride(from: 0, to: columns, by: 8) {
      let count = min(8, columns - start)
      for row in 0..<rows {
        let place = row * columns + start
        for lane in 0..<count { values[row][lane] = plane[place + lane] }
        if !isForward { values[row] *= row == 0 ? first : other }
      }
      if isForward {
        lee(&values, &space, at: 0, rows)
      } else {
        inverseLee(&values, &space, at: 0, rows)
      }
      for row in 0..<rows {
        let scaled = isForward ? values[row] * (row == 0 ? first : other) : values[row]
        for lane in 0..<count { result[(start + lane) * rows + row] = scaled[lane] }
      }
    }
    return result
  }

  /// Transforms `values[at..<at + count]` in place; `space` is as large.
  private func lee(_ values: inout [Lanes], _ space: inout [Lanes], at: Int, _ count: Int) {
    guard let factors = factors[count] else { return byDefinition(&values, &space, at: at, count, isForward: true) }
    let half = count / 2
    for index in 0..<half {
      let x = values[at + index], y = values[at + count - 1 - index]
      space[at + index] = x + y
      space[at + half + index] = (x - y) * factors[index]
    }
    lee(&space, &values, at: at, half)
    lee(&space, &values, at: at + half, half)
    for index in 0..<half {
      values[at + 2 * index] = space[at + index]
      values[at + 2 * index + 1] =
        index + 1 < half ? space[at + half + index] + space[at + half + index + 1] : space[at + half + index]
    }
  }

  private func inverseLee(_ values: inout [Lanes], _ space: inout [Lanes], at: Int, _ count: Int) {
    guard let factors = factors[count] else { return byDefinition(&values, &space, at: at, count, isForward: false) }
    let half = count / 2
    for index in 0..<half {
      space[at + index] = values[at + 2 * index]
      space[at + half + index] =
        index == 0 ? values[at + 1] : values[at + 2 * index - 1] + values[at + 2 * index + 1]
    }
    inverseLee(&space, &values, at: at, half)
    inverseLee(&space, &values, at: at + half, half)
    for index in 0..<half {
      let x = space[at + index], y = space[at + half + index] * factors[index]
      values[at + index] = x + y
      values[at + count - 1 - index] = x - y
    }
  }

  private func byDefinition(
    _ values: inout [Lanes], _ space: inout [Lanes], at: Int, _ count: Int, isForward: Bool
  ) {
    guard count > 1, let cosines = cosines[count] else { return }
    for row in 0..<count {
      var sum = Lanes.zero
      for index in 0..<count {
        sum += values[at + index] * cosines[isForward ? row * count + index : index * count + row]
      }
      space[at + row] = sum
    }
    for index in at..<at + count { values[index] = space[index] }
  }
}
