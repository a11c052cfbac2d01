import MartletData
import MartletTensor

/// Measures images, recovers them by methods of all kinds, and says how close each comes.
public struct RecoveryBenchmark: Sendable {
  /// One image as it was measured and recovered.
  public struct Picture: Sendable {
    /// The conditions.
    public let conditions: RecoveryConditions
    /// The seed.
    public let seed: UInt64
    /// The number of the image in the benchmark.
    public let image: Int
    /// What was measured, with its noise.
    public let measurements: [Double]
    /// The plane that came back, `[height * width]`.
    public let recovered: [Double]
  }

  /// What the recovery of all images under some conditions gives.
  public struct Outcome: Sendable {
    /// A row for each image.
    public let rows: [RecoveryRow]
    /// The first images, to be shown.
    public let pictures: [Picture]
  }

  /// The name of the set of images.
  public let name: String
  /// The number of rows of each image.
  public let height: Int
  /// The number of columns of each image.
  public let width: Int
  /// The images with their names, as grey planes `[height * width]` with values from 0 to 1.
  public let originals: [(name: String, plane: [Double])]
  /// The number of images of which an outcome keeps pictures.
  public var shownImages: Int

  /// A benchmark on images of one size.
  /// - Parameters:
  ///   - name: the name of the set of images.
  ///   - images: the images with their names; colour is made grey by its luminance.
  ///   - shownImages: the number of images of which an outcome keeps pictures.
  /// - Throws: ``SensingError`` if there are none or their sizes differ.
  public init(_ name: String, images: [(name: String, image: Image)], shownImages: Int = 6) throws {
    guard let first = images.first?.image else { throw SensingError("A benchmark needs images; \(name) has none.") }
    if let other = images.first(where: { $0.image.height != first.height || $0.image.width != first.width }) {
      throw SensingError(
        "A benchmark needs images of one size: \(images[0].name) has \(first.height)x\(first.width) pixels and \(other.name) "
          + "\(other.image.height)x\(other.image.width); give them apart.")
    }
    (self.name, height, width, self.shownImages) = (name, first.height, first.width, shownImages)
    originals = images.map { ($0.name, $0.image.luminance) }
  }

  /// The number of pixels of an image.
  public var pixels: Int { height * width }

  /// Recovers all images by a classic method.
  /// - Parameters:
  ///   - settings: the method with its settings.
  ///   - methodName: its name in the rows.
  ///   - description: how images are measured; its seed is that of the noise as well.
  ///   - noise: the deviation of normal noise in parts of the measurements' root mean square, which the method is told.
  ///   - training: planes of the kind that is recovered, for methods that learn from them.
  /// - Throws: ``SensingError`` if the method cannot recover these images from these measurements.
  public func run(
    _ settings: ReconstructionSettings, named methodName: String, measuredBy description: OperatorDescription,
    noise: Double = 0, training: [[Double]] = []
  ) throws -> Outcome {
    let measured = try description.linearOperator(height: height, width: width)
    var measurements = originals.map { measured.forward($0.plane) }
    let deviation = Self.addNoise(noise, to: &measurements, seed: description.seed)
    // The matrix of a file is one that was learnt, as a rule.
    let learnsFromImages = settings.method.usesTraining && !training.isEmpty || description.kind == .matrix
    let conditions = RecoveryConditions(
      images: name, method: methodName, learnsFromImages: learnsFromImages,
      measuredBy: description.kind.rawValue, measurements: measured.measurementCount, pixels: pixels, noise: noise)
    let method = try settings.reconstruction(
      for: measured, height: height, width: width,
      noise: deviation * Double(measured.measurementCount).squareRoot(), training: training)
    let before = ProcessorTime.seconds
    let recovered = try method.reconstruct(planes: measurements, of: measured, height: height, width: width)
    return try outcome(
      recovered, measurements, conditions, seed: description.seed, seconds: ProcessorTime.seconds - before)
  }

  /// Whether a model takes images of this size; asked of all models before the first method takes time.
  /// - Parameters:
  ///   - settings: the model's settings.
  ///   - methodName: its name in the rows.
  /// - Throws: ``SensingError`` if it takes images of another size.
  public func check(_ settings: RecoverySettings, named methodName: String) throws {
    guard settings.height == height, settings.width == width else {
      throw SensingError(
        "The model \(methodName) takes images of \(settings.height)x\(settings.width) pixels and \(name) has \(height)x\(width); "
          + "leave it out or give images of its size.")
    }
  }

  /// Recovers all images by a learned method from the measurements that it takes itself.
  /// - Parameters:
  ///   - model: the method.
  ///   - settings: its settings.
  ///   - methodName: its name in the rows.
  ///   - count: how many of its measurements are taken, the first ones; nil for all.
  ///   - noise: the deviation of normal noise in parts of the root mean square of what an image adds to the measurements of a black one; the
  ///     method is not told.
  /// - Throws: ``SensingError`` if it takes images of another size.
  public func run(
    _ model: RecoveryModel, settings: RecoverySettings, named methodName: String, measurements count: Int? = nil,
    noise: Double = 0
  ) throws -> Outcome {
    let taken = min(max(count ?? settings.measurements, 1), settings.measurements)
    try check(settings, named: methodName)
    func tensor(_ planes: [[Double]]) -> Tensor {
      Tensor(planes.flatMap { $0.map { Float($0 * 2 - 1) } }, shape: [planes.count, pixels])
    }
    let conditions = RecoveryConditions(
      images: name, method: methodName, learnsFromImages: true,
      measuredBy: settings.measurement == .random ? "gaussian" : "learnt \(settings.measurement.rawValue)",
      measurements: taken, pixels: pixels, noise: noise)
    func measure(_ planes: [[Double]]) -> [[Double]] {
      Self.rows(model.measure(tensor(planes)), count: planes.count).map { Array($0.prefix(taken)) }
    }
    let black = measure([[Double](repeating: 0, count: pixels)])[0]
    let random = RandomSource(seed: settings.seed).stream("benchmark")
    var measurements: [[Double]] = [], recovered: [[Double]] = [], seconds = 0.0
    for start in stride(from: 0, to: originals.count, by: 500) {
      let part = originals[start..<min(start + 500, originals.count)]
      var seen = measure(part.map(\.plane))
      for row in seen.indices { for place in black.indices { seen[row][place] -= black[place] } }
      Self.addNoise(noise, to: &seen, seed: settings.seed &+ UInt64(start))
      for row in seen.indices { for place in black.indices { seen[row][place] += black[place] } }
      let input = Tensor(seen.flatMap { $0.map(Float.init) }, shape: [part.count, taken])
      let before = ProcessorTime.seconds
      let signals = model.reconstruct(input, random: random.stream(start)).detached()
      seconds += ProcessorTime.seconds - before
      recovered += Self.rows(signals, count: part.count).map { $0.map { ($0 + 1) / 2 } }
      measurements += seen
    }
    return try outcome(recovered, measurements, conditions, seed: settings.seed, seconds: seconds)
  }

  private func outcome(
    _ recovered: [[Double]], _ measurements: [[Double]], _ conditions: RecoveryConditions, seed: UInt64, seconds: Double
  ) throws -> Outcome {
    let rows = try RecoveryRow.rows(
      recovered, of: originals, height: height, width: width, conditions: conditions, seed: seed, seconds: seconds)
    let pictures = recovered.indices.prefix(shownImages).map {
      Picture(
        conditions: conditions, seed: seed, image: $0, measurements: measurements[$0], recovered: recovered[$0])
    }
    return Outcome(rows: rows, pictures: pictures)
  }

  /// Adds normal noise to all measurements.
  /// - Returns: its deviation, `share` times the root mean square of all.
  @discardableResult
  private static func addNoise(_ share: Double, to measurements: inout [[Double]], seed: UInt64) -> Double {
    let count = measurements.reduce(0) { $0 + $1.count }
    guard share > 0, count > 0 else { return 0 }
    let squares = measurements.reduce(0) { $0 + dot($1, $1) }
    let deviation = share * (squares / Double(count)).squareRoot()
    let draws = normal([count], deviation: deviation, random: RandomSource(seed: seed).stream("benchmark noise"))
      .doubleValues
    var place = 0
    for row in measurements.indices {
      for column in measurements[row].indices {
        measurements[row][column] += draws[place]
        place += 1
      }
    }
    return deviation
  }

  private static func rows(_ tensor: Tensor, count: Int) -> [[Double]] {
    let values = tensor.detached().doubleValues, width = values.count / max(1, count)
    return (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }
}

extension Image {
  /// The image in grey, `[height * width]`: its plane, or the luminance of red, green and blue (ITU-R BT.601).
  public var luminance: [Double] {
    guard channels == 3 else { return plane(0) }
    let (red, green, blue) = (plane(0), plane(1), plane(2))
    return red.indices.map { 0.299 * red[$0] + 0.587 * green[$0] + 0.114 * blue[$0] }
  }
}
