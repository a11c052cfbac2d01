/// The orthonormal Walsh-Hadamard transform of a power of two values, which is its own inverse. Shorter input is filled with zeros.
struct HadamardTransform: PlaneTransform {
  let count: Int

  /// - Parameter least: the least number of values; the next power of two is taken.
  init(atLeast least: Int) {
    var count = 1
    while count < least { count *= 2 }
    self.count = count
  }

  func forward(_ plane: [Double]) -> [Double] {
    var values = plane
    values += repeatElement(0, count: count - plane.count)
    var half = 1
    while half < count {
      for start in stride(from: 0, to: count, by: 2 * half) {
        for index in start..<start + half {
          let (a, b) = (values[index], values[index + half])
          values[index] = a + b
          values[index + half] = a - b
        }
      }
      half *= 2
    }
    let scale = 1 / Double(count).squareRoot()
    for index in values.indices { values[index] *= scale }
    return values
  }

  func inverse(_ coefficients: [Double]) -> [Double] { forward(coefficients) }
}
