import MartletData

/// Under what conditions images were recovered: what rows of a benchmark have in common when their mean is taken.
public struct RecoveryConditions: Sendable, Hashable {
  /// The name of the set of images.
  public var images: String
  /// The name of the method, such as `tv` or `fista db4`.
  public var method: String
  /// Whether the method learns from images of the kind that is recovered.
  public var learnsFromImages: Bool
  /// How images are measured: a family of operators, or a learnt measurement.
  public var measuredBy: String
  /// The number of measurements of an image, and of its pixels.
  public var measurements, pixels: Int
  /// The deviation of normal noise in parts of the measurements' root mean square, that of a black image left out.
  public var noise: Double

  /// - Parameters:
  ///   - images: the name of the set of images.
  ///   - method: the name of the method.
  ///   - learnsFromImages: whether the method learns from images of the kind.
  ///   - measuredBy: how images are measured.
  ///   - measurements: the number of measurements of an image.
  ///   - pixels: the number of pixels of an image.
  ///   - noise: the deviation of the noise in parts of the measurements' root mean square.
  public init(
    images: String, method: String, learnsFromImages: Bool, measuredBy: String, measurements: Int, pixels: Int,
    noise: Double
  ) {
    (self.images, self.method, self.learnsFromImages) = (images, method, learnsFromImages)
    (self.measuredBy, self.measurements, self.pixels, self.noise) = (measuredBy, measurements, pixels, noise)
  }

  /// Measurements as a part of the pixels.
  public var ratio: Double { Double(measurements) / Double(pixels) }

  /// The members of a line of JSON.
  var members: [(String, JSONValue)] {
    [
      ("images", .string(images)), ("method", .string(method)), ("learns_from_images", .bool(learnsFromImages)),
      ("measured_by", .string(measuredBy)), ("measurements", .integer(measurements)), ("pixels", .integer(pixels)),
      ("noise", .number(noise)),
    ]
  }

  /// Reads the members of a line.
  /// - Throws: `FileError` that names the line and the key that is missing or wrong.
  init(_ line: JSONLines.Line) throws {
    func value<Value>(_ key: String, _ kind: String, _ read: (JSONValue) -> Value?) throws -> Value {
      guard let value = line.value[key].flatMap(read) else {
        throw line.failure("\"\(key)\" is no \(kind); write the file with martlet sense bench")
      }
      return value
    }
    func count(_ value: JSONValue) -> Int? { value.integer.flatMap { (1...1_000_000_000).contains($0) ? $0 : nil } }
    self.init(
      images: try value("images", "text", \.string), method: try value("method", "text", \.string),
      learnsFromImages: try value("learns_from_images", "truth value", \.bool),
      measuredBy: try value("measured_by", "text", \.string),
      measurements: try value("measurements", "positive number", count),
      pixels: try value("pixels", "positive number", count),
      noise: try value("noise", "number of 0 or more") { $0.number.flatMap { $0 >= 0 ? $0 : nil } })
  }
}
