import MartletData

/// The measurements of an image, as a line of a JSON Lines file.
public struct MeasuredImage: Sendable, Equatable {
  /// The image's name.
  public let name: String
  /// The number of rows.
  public let height: Int
  /// The number of pixels of a row.
  public let width: Int
  /// How each channel was measured.
  public let measured: OperatorDescription
  /// What was added to the measurements; nil for nothing.
  public let noise: MeasurementNoise?
  /// `[channels][measurements]`
  public let measurements: [[Double]]

  /// Measures each channel of an image.
  /// - Parameters:
  ///   - image: the image.
  ///   - name: its name.
  ///   - description: how it is measured.
  ///   - noise: what is added to the measurements.
  /// - Throws: ``SensingError`` if the image has fewer pixels than there are measurements.
  public init(
    _ image: Image, name: String, by description: OperatorDescription, noise: MeasurementNoise? = nil
  ) throws {
    var table = OperatorTable()
    try self.init(image, name: name, by: description, noise: noise, sharing: &table)
  }

  /// Measures each channel of an image by an operator that other images may have been measured by.
  /// - Parameters:
  ///   - image: the image.
  ///   - name: its name.
  ///   - description: how it is measured.
  ///   - noise: what is added to the measurements.
  ///   - operators: those that were made before.
  /// - Throws: ``SensingError`` if the image has fewer pixels than there are measurements.
  public init(
    _ image: Image, name: String, by description: OperatorDescription, noise: MeasurementNoise? = nil,
    sharing operators: inout OperatorTable
  ) throws {
    let linear = try operators.linearOperator(description, height: image.height, width: image.width)
    (self.name, height, width, measured, self.noise) = (name, image.height, image.width, description, noise)
    measurements = (0..<image.channels).map { channel in
      let exact = linear.forward(image.plane(channel))
      return noise?.added(to: exact, name: name, channel: channel) ?? exact
    }
  }

  /// Reads a line.
  /// - Throws: `FileError` that names the line and the key that is missing or wrong.
  public init(_ line: JSONLines.Line) throws {
    func integer(_ key: String) throws -> Int {
      guard let value = line.value[key]?.integer, value > 0, value <= 100_000_000 else {
        throw line.failure("\"\(key)\" is no positive number; write the file with martlet sense measure")
      }
      return value
    }
    guard let name = line.value["name"]?.string, let channels = line.value["measurements"]?.array else {
      throw line.failure(
        "\"name\" or \"measurements\" is missing or wrong; write the file with martlet sense measure")
    }
    let planes = channels.map { ($0.array ?? []).compactMap(\.number) }
    let count = planes.first?.count ?? 0
    guard count > 0, planes.count == 1 || planes.count == 3,
      zip(planes, channels).allSatisfy({ $0.count == count && $1.array?.count == count })
    else {
      throw line.failure(
        "\"measurements\" must have 1 or 3 lists of numbers of one length; write the file with martlet sense measure")
    }
    (self.name, height, width, measurements) = (name, try integer("height"), try integer("width"), planes)
    measured = try OperatorDescription(line, measurementCount: count)
    guard let noise = line.value["noise"], !noise.isNull else {
      self.noise = nil
      return
    }
    guard let kind = noise["kind"]?.string.flatMap(MeasurementNoise.Kind.init), let level = noise["level"]?.number,
      let seed = noise["seed"]?.string.flatMap(UInt64.init)
    else {
      throw line.failure("\"noise\" has no kind, level or seed; write the file with martlet sense measure")
    }
    do { self.noise = try MeasurementNoise(kind, level: level, seed: seed) } catch let error as SensingError {
      throw line.failure(error.message)
    }
  }

  /// The Euclidean length that the noise of a channel's measurements has about; the mean over channels, 0 without noise.
  public var noiseLength: Double {
    guard let noise else { return 0 }
    return measurements.reduce(0) { $0 + noise.expectedLength(of: $1) } / Double(max(1, measurements.count))
  }

  /// The line, without its end.
  public var json: JSONValue {
    var line = JSONObject()
    line.append("name", .string(name))
    line.append("height", .init(integerLiteral: height))
    line.append("width", .init(integerLiteral: width))
    for (key, value) in measured.members { line.append(key, value) }
    if let noise {
      line.append(
        "noise",
        [
          "kind": .string(noise.kind.rawValue), "level": .init(floatLiteral: noise.level),
          "seed": .string(String(noise.seed)),
        ])
    }
    line.append("measurements", .array(measurements.map { .array($0.map { .init(floatLiteral: $0) }) }))
    return .object(line)
  }

  /// Recovers the image by a method.
  /// - Throws: ``SensingError`` if the measurements do not belong to the image's size.
  public func reconstruct(by method: any Reconstruction) throws -> Image {
    let linear = try measured.linearOperator(height: height, width: width)
    return try Image(
      planes: measurements.map { try method.reconstruct($0, of: linear, height: height, width: width) }, height: height,
      width: width)
  }
}
