import Foundation

/// A plane that is blurred by a kernel and of which every few pixels are kept.
public struct ConvolutionOperator: LinearOperator {
  /// A kernel that is the product of one along rows and the same along columns; the sum of its values is 1.
  public enum Kernel: Sendable, Hashable {
    /// A normal distribution with a deviation in pixels, cut off at three deviations.
    case gaussian(deviation: Double)
    /// The mean of the pixels that are at most so many rows and columns away.
    case box(radius: Int)

    /// The values along an axis, the middle one in the middle.
    var taps: [Double] {
      switch self {
      case .box(let radius): return [Double](repeating: 1 / Double(2 * radius + 1), count: 2 * radius + 1)
      case .gaussian(let deviation):
        let radius = Int((3 * deviation).rounded(.up))
        let values = (-radius...radius).map { exp(-0.5 * (Double($0) / deviation) * (Double($0) / deviation)) }
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
      }
    }
  }

  /// What stands beyond the edge of a plane.
  public enum Border: String, Sendable, CaseIterable {
    /// The opposite edge.
    case circular
    /// Zeros.
    case zero
  }

  /// The rows and columns of a plane.
  public let height: Int, width: Int
  /// The distance of the pixels that are kept.
  public let step: Int
  /// The values of a plane.
  public var signalCount: Int { height * width }
  /// The number of pixels that are kept.
  public var measurementCount: Int { ((height + step - 1) / step) * ((width + step - 1) / step) }
  /// Kernels overlap.
  public var hasOrthonormalRows: Bool { false }
  private let taps: [Double]
  private let border: Border

  /// - Parameters:
  ///   - kernel: the kernel.
  ///   - border: what stands beyond the edge.
  ///   - step: every so many rows and columns a pixel is kept, from the first one; 1 keeps all.
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  /// - Throws: ``SensingError`` if the kernel is wider than the plane or a size is not positive.
  public init(_ kernel: Kernel, border: Border = .circular, step: Int = 1, height: Int, width: Int) throws {
    let radius: Double =
      switch kernel {
      case .gaussian(let deviation): deviation > 0 ? (3 * deviation).rounded(.up) : .infinity
      case .box(let radius): radius > 0 ? Double(radius) : .infinity
      }
    guard height > 0, width > 0, step > 0, 2 * radius + 1 <= Double(min(height, width)) else {
      throw SensingError(
        "A kernel must be wider than 0 and fit into an image of \(height)x\(width), and the step be 1 or more; a box has 2 R + 1 pixels a side and a Gaussian six deviations and one."
      )
    }
    (self.height, self.width, self.step, taps, self.border) = (height, width, step, kernel.taps, border)
  }

  public func forward(_ signal: [Double]) -> [Double] {
    let blurred = blurred(signal)
    guard step > 1 else { return blurred }
    return stride(from: 0, to: height, by: step).flatMap { row in
      stride(from: 0, to: width, by: step).map { blurred[row * width + $0] }
    }
  }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    guard step > 1 else { return blurred(measurements) }
    var plane = [Double](repeating: 0, count: signalCount), index = 0
    for row in stride(from: 0, to: height, by: step) {
      for column in stride(from: 0, to: width, by: step) {
        plane[row * width + column] = measurements[index]
        index += 1
      }
    }
    return blurred(plane)
  }

  /// The convolution along both axes. Kernels are even, so it is its own transpose.
  private func blurred(_ plane: [Double]) -> [Double] {
    let radius = taps.count / 2
    var rows = [Double](repeating: 0, count: plane.count), result = rows
    for row in 0..<height {
      for (tap, weight) in taps.enumerated() {
        guard let from = place(row + tap - radius, height) else { continue }
        for column in 0..<width { rows[row * width + column] += weight * plane[from * width + column] }
      }
      let start = row * width
      for (tap, weight) in taps.enumerated() {
        let shift = tap - radius
        let inside = max(0, -shift)..<min(width, width - shift)
        for column in inside { result[start + column] += weight * rows[start + column + shift] }
        guard border == .circular else { continue }
        for column in 0..<inside.lowerBound { result[start + column] += weight * rows[start + column + shift + width] }
        for column in inside.upperBound..<width {
          result[start + column] += weight * rows[start + column + shift - width]
        }
      }
    }
    return result
  }

  private func place(_ index: Int, _ count: Int) -> Int? {
    if index >= 0, index < count { return index }
    guard border == .circular else { return nil }
    return index < 0 ? index + count : index - count
  }
}
