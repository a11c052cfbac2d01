import MartletData
import MartletTensor

/// Grey images of one size as rows of a tensor, with values from -1 (background) to 1.
public struct ImageSet: Sendable {
  /// The number of pixels along each axis.
  public let height, width: Int
  /// `[images, height * width]`
  public let signals: Tensor

  /// The most values of a set that is made of a file (4 GiB).
  private static let mostValues = 1 << 30

  /// Images of given signals.
  /// - Parameters:
  ///   - signals: `[images, height * width]`, values from -1 to 1.
  ///   - height: the number of rows of an image.
  ///   - width: the number of columns of an image.
  public init(signals: Tensor, height: Int, width: Int) {
    self.signals = signals
    self.height = height
    self.width = width
  }

  /// Number, size and a checksum of the images: equal for equal images.
  public var fingerprint: String {
    var checksum = CRC32()
    signals.contiguous().values.withUnsafeBytes { checksum.update($0) }
    return "\(count) of \(height)x\(width), \(String(checksum.value, radix: 16))"
  }

  /// The images of an IDX file, whose pixels become `pixel / 255 * 2 - 1`.
  ///
  /// - Parameters:
  ///   - images: what the file holds.
  ///   - pooling: the side of the squares of pixels that are averaged to one.
  ///   - padding: the background that is added on every side, in pixels, after averaging.
  /// - Throws: ``SensingError`` if the squares do not fit the images or a number is not allowed.
  public init(_ images: IDXFile.Images, pooling: Int = 1, padding: Int = 0) throws {
    try self.init(
      images.pixels, count: images.count, height: images.height, width: images.width, pooling: pooling,
      padding: padding, value: { Int($0) },
      signal: { area in
        let scale = 2 / (255 * Float(area))
        return { Float($0) * scale - 1 }
      })
  }

  /// The images of a file or folder as ``ImageFile`` reads them, in order; colour becomes grey, black -1 and white 1.
  ///
  /// - Parameters:
  ///   - path: a file or a folder.
  ///   - pooling: the side of the squares of pixels that are averaged to one.
  ///   - padding: the background that is added on every side, in pixels, after averaging.
  /// - Throws: `FileError` if it cannot be read or its images differ in size; ``SensingError`` if the squares do not fit the images or a
  ///   number is not allowed.
  public init(contentsOf path: String, pooling: Int = 1, padding: Int = 0) throws {
    if let images = try IDXFile.imagesIfAny(path) {
      try self.init(images, pooling: pooling, padding: padding)
      return
    }
    let read = try ImageFile.read(path)
    guard let first = read.first else { throw FileError(file: path, "it has no images; check the path") }
    let (height, width) = (first.image.height, first.image.width)
    if let other = read.first(where: { $0.image.height != height || $0.image.width != width }) {
      throw FileError(
        file: path,
        "\(other.name) has \(other.image.height) x \(other.image.width) pixels and \(first.name) \(height) x \(width); give images of one size"
      )
    }
    try self.init(
      read.flatMap(\.image.luminance), count: read.count, height: height, width: width, pooling: pooling,
      padding: padding, value: { $0 },
      signal: { area in
        let scale = 2 / Double(area)
        return { Float($0 * scale - 1) }
      })
  }

  /// - Parameter signal: for the number of pixels of a square, what its sum becomes. It is asked once the number is known to be possible.
  private init<Pixel, Sum: AdditiveArithmetic>(
    _ pixels: [Pixel], count: Int, height: Int, width: Int, pooling: Int, padding: Int, value: (Pixel) -> Sum,
    signal: (Int) -> (Sum) -> Float
  ) throws {
    guard pooling > 0, height % pooling == 0, width % pooling == 0 else {
      throw SensingError(
        "Squares of \(pooling) x \(pooling) pixels do not fill images of \(height) x \(width): take a divisor of both.")
    }
    guard (0...512).contains(padding) else {
      throw SensingError("\(padding) pixels cannot be added on every side: take a number from 0 to 512.")
    }
    let inner = (height: height / pooling, width: width / pooling)
    let outer = (height: inner.height + 2 * padding, width: inner.width + 2 * padding)
    guard outer.height <= Self.mostValues / outer.width, outer.height * outer.width <= Self.mostValues / count else {
      throw SensingError(
        "\(count) images of \(outer.height) x \(outer.width) pixels are more than the limit of 4 GiB: take fewer images, squares of "
          + "more pixels, or less background.")
    }
    let signal = signal(pooling * pooling)
    var values = [Float](repeating: -1, count: count * outer.height * outer.width)
    for image in 0..<count {
      for row in 0..<inner.height {
        for column in 0..<inner.width {
          var sum = Sum.zero
          for y in row * pooling..<(row + 1) * pooling {
            let start = (image * height + y) * width
            for x in column * pooling..<(column + 1) * pooling { sum += value(pixels[start + x]) }
          }
          values[(image * outer.height + row + padding) * outer.width + column + padding] = signal(sum)
        }
      }
    }
    self.init(
      signals: Tensor(values, shape: [count, outer.height * outer.width]), height: outer.height, width: outer.width)
  }

  /// The number of images.
  public var count: Int { signals.rows }

  /// Some of the images, in order.
  public subscript(_ range: Range<Int>) -> ImageSet {
    let range = range.clamped(to: 0..<count)
    return ImageSet(signals: signals.rows(range).contiguous(), height: height, width: width)
  }
}
