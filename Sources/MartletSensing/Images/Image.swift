import MartletData

/// A picture as numbers: rows from the top, pixels from the left, the channels of a pixel side by side.
public struct Image: Sendable, Equatable {
  /// The number of rows.
  public let height: Int
  /// The number of pixels of a row.
  public let width: Int
  /// The values of a pixel: 1 is grey, 3 is red, green and blue.
  public let channels: Int
  /// `[height, width, channels]`; 0 is black and 1 is white.
  public var values: [Float]

  /// - Parameters:
  ///   - height: the number of rows.
  ///   - width: the number of pixels of a row.
  ///   - channels: the values of a pixel.
  ///   - values: `[height, width, channels]`.
  /// - Throws: ``SensingError`` if a size is not positive, sizes and values disagree, or a value is not a finite number.
  public init(height: Int, width: Int, channels: Int = 1, values: [Float]) throws {
    let area = height.multipliedReportingOverflow(by: width)
    let count = area.partialValue.multipliedReportingOverflow(by: channels)
    guard height > 0, width > 0, channels > 0, !area.overflow, !count.overflow, count.partialValue == values.count
    else {
      throw SensingError(
        "An image of \(height)x\(width) with \(channels) channels cannot have \(values.count) values; check its size.")
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      let pixel = index / channels
      throw SensingError(
        "Row \(pixel / width + 1), column \(pixel % width + 1) of an image is \(values[index]), which is no number between black and white; replace it."
      )
    }
    (self.height, self.width, self.channels, self.values) = (height, width, channels, values)
  }

  /// The plane of one channel, `[height, width]`.
  public func plane(_ channel: Int) -> [Double] {
    stride(from: channel, to: values.count, by: channels).map { Double(values[$0]) }
  }

  /// The image of planes `[height, width]`, one a channel; values outside 0...1 are cut off.
  /// - Throws: ``SensingError`` if sizes disagree or a value is not finite.
  public init(planes: [[Double]], height: Int, width: Int) throws {
    guard let count = planes.first?.count, planes.allSatisfy({ $0.count == count }) else {
      throw SensingError("An image needs planes of one size.")
    }
    var values = [Float](repeating: 0, count: count * planes.count)
    for (channel, plane) in planes.enumerated() {
      for (index, value) in plane.enumerated() { values[index * planes.count + channel] = Float(min(1, max(0, value))) }
    }
    try self.init(height: height, width: width, channels: planes.count, values: values)
  }
}
