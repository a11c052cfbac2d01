import MartletTensor

/// Chooses among settings of a method by their error on training images, which are measured as the images to recover were.
struct TrainingChoice {
  let planes: [[Double]]
  let measured: any LinearOperator
  let height: Int, width: Int
  let noise: Double

  init(_ planes: [[Double]], measured: any LinearOperator, height: Int, width: Int, noise: Double) {
    (self.planes, self.measured, self.height, self.width, self.noise) = (planes, measured, height, width, noise)
  }

  /// Nine tenths to learn from and the last tenth to judge by.
  var parts: (learning: [[Double]], held: [[Double]]) {
    let held = max(1, planes.count / 10)
    return (Array(planes.dropLast(held)), Array(planes.suffix(held)))
  }

  /// The method with the least squared error on up to `most` of the planes, spread evenly.
  /// - Throws: ``SensingError`` if the planes have another size than was measured.
  func best<Method: Reconstruction>(_ methods: [Method], most: Int = 8) throws -> Method {
    guard let first = methods.first else { throw SensingError("There are no settings to choose from.") }
    guard planes.allSatisfy({ $0.count == measured.signalCount }) else {
      throw SensingError(
        "The training images must have \(height)x\(width) pixels, as the measured ones; give images of that size.")
    }
    let count = min(most, planes.count)
    let chosen = (0..<count).map { planes[$0 * planes.count / count] }
    let random = RandomSource(seed: 1).stream("choice")
    let deviation = noise / Double(measured.measurementCount).squareRoot()
    let seen = chosen.enumerated().map { index, plane -> [Double] in
      let exact = measured.forward(plane)
      guard deviation > 0 else { return exact }
      let source = random.stream(index)
      return exact.indices.map { exact[$0] + deviation * source.normal($0) }
    }
    var best = (method: first, error: Double.infinity)
    for method in methods {
      let recovered = try method.reconstruct(planes: seen, of: measured, height: height, width: width)
      let error = zip(recovered, chosen).reduce(0) { sum, pair in
        let length = distance(pair.0, pair.1)
        return sum + length * length
      }
      if error < best.error { best = (method, error) }
    }
    return best.method
  }
}
