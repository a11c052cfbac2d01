/// The orthonormal wavelet transform of planes, continued periodically (Mallat, "A theory for multiresolution signal decomposition", 1989).
/// Each level halves both sizes of what is left of the plane, while both are even and at least 8.
struct WaveletTransform: PlaneTransform {
  /// The taps of a low pass.
  struct Filter: Sendable {
    let low: [Double]

    static let haar = Filter(low: [0.7071067811865476, 0.7071067811865476])
    /// Daubechies, "Orthonormal bases of compactly supported wavelets", 1988, table 1, N = 4.
    static let daubechies4 = Filter(low: [
      0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385, -0.18703481171888114,
      0.030841381835986965, 0.032883011666982945, -0.010597401784997278,
    ])

    /// The taps of the high pass: the low pass backwards, every other sign turned.
    var high: [Double] {
      low.indices.map { ($0 % 2 == 0 ? 1 : -1) * low[low.count - 1 - $0] }
    }
  }

  let height: Int, width: Int, levels: Int
  private let low: [Double], high: [Double]

  init(_ filter: Filter, height: Int, width: Int) {
    (self.height, self.width, low, high) = (height, width, filter.low, filter.high)
    var levels = 0, size = (height, width)
    while size.0 % 2 == 0, size.1 % 2 == 0, min(size.0, size.1) >= 8 {
      levels += 1
      size = (size.0 / 2, size.1 / 2)
    }
    self.levels = levels
  }

  func forward(_ plane: [Double]) -> [Double] {
    var values = plane
    for level in 0..<levels {
      let rows = height >> level, columns = width >> level
      for row in 0..<rows { analyze(&values, start: row * width, stride: 1, count: columns) }
      for column in 0..<columns { analyze(&values, start: column, stride: width, count: rows) }
    }
    return values
  }

  func inverse(_ coefficients: [Double]) -> [Double] {
    var values = coefficients
    for level in (0..<levels).reversed() {
      let rows = height >> level, columns = width >> level
      for column in 0..<columns { synthesize(&values, start: column, stride: width, count: rows) }
      for row in 0..<rows { synthesize(&values, start: row * width, stride: 1, count: columns) }
    }
    return values
  }

  /// Replaces a line by its low half and its high half.
  private func analyze(_ values: inout [Double], start: Int, stride: Int, count: Int) {
    let line = (0..<count).map { values[start + $0 * stride] }, half = count / 2
    for index in 0..<half {
      var smooth = 0.0, detail = 0.0, place = 2 * index
      for tap in low.indices {
        smooth += low[tap] * line[place]
        detail += high[tap] * line[place]
        place = place + 1 == count ? 0 : place + 1
      }
      values[start + index * stride] = smooth
      values[start + (half + index) * stride] = detail
    }
  }

  /// The transpose of `analyze`, which is its inverse.
  private func synthesize(_ values: inout [Double], start: Int, stride: Int, count: Int) {
    var line = [Double](repeating: 0, count: count)
    let half = count / 2
    for index in 0..<half {
      let smooth = values[start + index * stride], detail = values[start + (half + index) * stride]
      var place = 2 * index
      for tap in low.indices {
        line[place] += low[tap] * smooth + high[tap] * detail
        place = place + 1 == count ? 0 : place + 1
      }
    }
    for index in 0..<count { values[start + index * stride] = line[index] }
  }
}
