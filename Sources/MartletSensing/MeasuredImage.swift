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
  /// `[channels][measurements]`
  public let measurements: [[Double]]

  /// Measures each channel of an image.
  /// - Parameters:
  ///   - image: the image.
  ///   - name: its name.
  ///   - description: how it is measured.
  /// - Throws: ``SensingError`` if the image has fewer pixels than there are measurements.
  public init(_ image: Image, name: String, by description: OperatorDescription) throws {
    let linear = try description.linearOperator(height: image.height, width: image.width)
    (self.name, height, width, measured) = (name, image.height, image.width, description)
    measurements = (0..<image.channels).map { linear.forward(image.plane($0)) }
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
    guard let name = line.value["name"]?.string,
      let kind = line.value["operator"]?.string.flatMap(OperatorDescription.Kind.init),
      let seed = line.value["seed"]?.string.flatMap(UInt64.init), let channels = line.value["measurements"]?.array
    else {
      throw line.failure(
        "\"name\", \"operator\", \"seed\" or \"measurements\" is missing or wrong; write the file with martlet sense measure"
      )
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
    measured = OperatorDescription(kind, measurementCount: count, seed: seed)
  }

  /// The line, without its end.
  public var json: JSONValue {
    [
      "name": .string(name), "height": .init(integerLiteral: height), "width": .init(integerLiteral: width),
      "operator": .string(measured.kind.rawValue), "seed": .string(String(measured.seed)),
      "measurements": .array(measurements.map { .array($0.map { .init(floatLiteral: $0) }) }),
    ]
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
