import MartletTensor

/// Grey images of one size as rows of a tensor, with values from -1 (background) to 1.
public struct ImageSet: Sendable {
  /// The number of pixels along each axis.
  public let height, width: Int
  /// `[images, height * width]`
  public let signals: Tensor

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

  /// The images of a file, whose pixels become `pixel / 255 * 2 - 1`.
  ///
  /// - Parameters:
  ///   - images: what the file holds.
  ///   - pooling: the side of the squares of pixels that are averaged to one.
  ///   - padding: the background that is added on every side, in pixels, after averaging.
  /// - Throws: ``SensingError`` if the squares do not fit the images or a number is not allowed.
  public init(_ images: IDXFile.Images, pooling: Int = 1, padding: Int = 0) throws {
    guard pooling > 0, images.height % pooling == 0, images.width % pooling == 0 else {
      throw SensingError(
        "Squares of \(pooling) x \(pooling) pixels do not fill images of \(images.height) x \(images.width): take a divisor of both."
      )
    }
    guard (0...512).contains(padding) else {
      throw SensingError("\(padding) pixels cannot be added on every side: take a number from 0 to 512.")
    }
    let inner = (height: images.height / pooling, width: images.width / pooling)
    let (height, width) = (inner.height + 2 * padding, inner.width + 2 * padding)
    var values = [Float](repeating: -1, count: images.count * height * width)
    let scale = 2 / (255 * Float(pooling * pooling))
    for image in 0..<images.count {
      for row in 0..<inner.height {
        for column in 0..<inner.width {
          var sum = 0
          for y in row * pooling..<(row + 1) * pooling {
            let start = (image * images.height + y) * images.width
            for x in column * pooling..<(column + 1) * pooling { sum += Int(images.pixels[start + x]) }
          }
          values[(image * height + row + padding) * width + column + padding] = Float(sum) * scale - 1
        }
      }
    }
    self.init(signals: Tensor(values, shape: [images.count, height * width]), height: height, width: width)
  }

  /// The number of images.
  public var count: Int { signals.rows }

  /// Some of the images, in order.
  public subscript(_ range: Range<Int>) -> ImageSet {
    let range = range.clamped(to: 0..<count)
    return ImageSet(signals: signals.rows(range).contiguous(), height: height, width: width)
  }
}
