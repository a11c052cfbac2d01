import MartletData
import MartletTensor

/// What an operator is made of, as data: the same description always gives the same operator.
public struct OperatorDescription: Sendable, Hashable {
  /// The families of operators.
  public enum Kind: String, Sendable, CaseIterable {
    /// Random coefficients of the cosine transform of pixels with random signs.
    case cosine
    /// Random coefficients of the Walsh-Hadamard transform of pixels with random signs.
    case hadamard
    /// Random real and imaginary parts of the Fourier transform of pixels with random signs.
    case fourier
    /// A matrix with normally distributed entries.
    case gaussian
    /// A matrix with entries of one size and random sign.
    case bernoulli
    /// Random pixels.
    case mask
    /// A blur, of which every few pixels are kept.
    case convolution
    /// The matrix of a file: an array of NumPy, or what a model of `martlet sense train` learnt.
    case matrix

    /// Whether the number of measurements is its own and not a choice.
    public var hasOwnCount: Bool { self == .convolution || self == .matrix }
  }

  /// Square blocks that are measured one by one.
  public struct Blocks: Sendable, Hashable {
    /// The pixels along each side.
    public let size: Int
    /// Whether one operator measures all of them.
    public let isShared: Bool

    /// - Parameters:
    ///   - size: the pixels along each side of a block.
    ///   - isShared: whether one operator measures all blocks.
    public init(size: Int, isShared: Bool = false) { (self.size, self.isShared) = (size, isShared) }
  }

  /// A blur.
  public struct Blur: Sendable, Hashable {
    /// The kernel.
    public let kernel: ConvolutionOperator.Kernel
    /// What stands beyond the edge.
    public let border: ConvolutionOperator.Border
    /// The distance of the pixels that are kept.
    public let step: Int

    /// - Parameters:
    ///   - kernel: the kernel.
    ///   - border: what stands beyond the edge.
    ///   - step: the distance of the pixels that are kept.
    public init(_ kernel: ConvolutionOperator.Kernel, border: ConvolutionOperator.Border = .circular, step: Int = 1) {
      (self.kernel, self.border, self.step) = (kernel, border, step)
    }
  }

  /// How many measurements are taken.
  public enum Amount: Sendable, Hashable {
    /// A number for each plane.
    case count(Int)
    /// A part of the pixels, at most 1.
    case ratio(Double)
    /// As many as a convolution or a matrix gives.
    case own
  }

  /// The family.
  public let kind: Kind
  /// The number of measurements of a plane.
  public let measurementCount: Int
  /// What the random choices are drawn from.
  public let seed: UInt64
  /// The blocks that are measured one by one; nil for the plane as a whole.
  public let blocks: Blocks?
  /// The blur of a convolution.
  public let blur: Blur?
  /// The file of a matrix.
  public let matrixPath: String?
  /// The checksum of the matrix that measured; nil if it is not known. A file that has another matrix by now is refused.
  public let matrixChecksum: String?
  /// The most entries of a matrix that is held in memory (1 GiB).
  static let mostEntries = 1 << 27

  /// - Parameters:
  ///   - kind: the family.
  ///   - measurementCount: the number of measurements of a plane.
  ///   - seed: what the random choices are drawn from.
  ///   - blocks: the blocks that are measured one by one.
  ///   - blur: the blur of a convolution.
  ///   - matrixPath: the file of a matrix.
  ///   - matrixChecksum: the checksum of the matrix that measured.
  public init(
    _ kind: Kind, measurementCount: Int, seed: UInt64, blocks: Blocks? = nil, blur: Blur? = nil,
    matrixPath: String? = nil, matrixChecksum: String? = nil
  ) {
    (self.kind, self.measurementCount, self.seed) = (kind, measurementCount, seed)
    (self.blocks, self.blur, self.matrixPath, self.matrixChecksum) = (blocks, blur, matrixPath, matrixChecksum)
  }

  /// The description for planes of a size.
  /// - Parameters:
  ///   - kind: the family.
  ///   - amount: how many measurements are taken of a plane.
  ///   - seed: what the random choices are drawn from.
  ///   - blocks: the blocks that are measured one by one.
  ///   - blur: the blur of a convolution.
  ///   - matrixPath: the file of a matrix.
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  /// - Throws: ``SensingError`` if the amount does not go with the family, the size or the blocks; `FileError` if the matrix cannot be read.
  public init(
    _ kind: Kind, amount: Amount, seed: UInt64, blocks: Blocks? = nil, blur: Blur? = nil, matrixPath: String? = nil,
    height: Int, width: Int
  ) throws {
    let parts = try blocks.map { try BlockOperator.count(size: $0.size, height: height, width: width) } ?? 1
    let pixels = height * width / parts
    let count: Int
    var checksum: String?
    switch amount {
    case .count(let number):
      guard number % parts == 0 else {
        throw SensingError(
          "\(number) measurements cannot be shared out among \(parts) blocks; take a multiple of \(parts), or a ratio.")
      }
      count = number
    case .ratio(let ratio): count = parts * max(1, Int((min(1, max(0, ratio)) * Double(pixels)).rounded()))
    case .own:
      switch (kind, blur, matrixPath) {
      case (.convolution, let blur?, _):
        count = try ConvolutionOperator(
          blur.kernel, border: blur.border, step: blur.step, height: height, width: width
        ).measurementCount
      case (.matrix, _, let path?):
        let matrix = try MatrixOperator(file: path)
        (count, checksum) = (matrix.measurementCount * parts, matrix.checksum)
      default:
        throw SensingError("The operator \(kind.rawValue) needs a number of measurements, or a ratio.")
      }
    }
    self.init(
      kind, measurementCount: count, seed: seed, blocks: blocks, blur: blur, matrixPath: matrixPath,
      matrixChecksum: checksum)
  }

  /// The operator for planes `[height, width]`.
  /// - Parameters:
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  /// - Throws: ``SensingError`` if there are more measurements than pixels, or a matrix would not fit in the memory; `FileError` if the
  ///   file of a matrix cannot be read.
  public func linearOperator(height: Int, width: Int) throws -> any LinearOperator {
    let pixels = height.multipliedReportingOverflow(by: width)
    guard pixels.overflow || pixels.partialValue <= PNG.mostPixels else {
      throw SensingError(
        "An image of \(height)x\(width) has more than \(PNG.mostPixels) pixels; make it smaller before it is measured.")
    }
    guard height > 0, width > 0, !pixels.overflow, measurementCount > 0,
      kind.hasOwnCount || measurementCount <= pixels.partialValue
    else {
      throw SensingError(
        "An image of \(height)x\(width) cannot have \(measurementCount) measurements; take from 1 to its number of pixels."
      )
    }
    guard let blocks else { return try whole(height: height, width: width, measurementCount, seed: seed) }
    let count = try BlockOperator.count(size: blocks.size, height: height, width: width)
    guard measurementCount % count == 0, kind != .convolution else {
      throw SensingError(
        kind == .convolution
          ? "A convolution goes over the edges of blocks; leave out the blocks."
          : "\(measurementCount) measurements cannot be shared out among \(count) blocks; take a multiple of \(count).")
    }
    if !blocks.isShared, kind == .gaussian || kind == .bernoulli {
      try checkMemory(measurementCount, blocks.size * blocks.size)
    }
    // A file has one matrix for all.
    return try BlockOperator(
      size: blocks.size, height: height, width: width, isShared: blocks.isShared || kind == .matrix
    ) { index in
      let seed = index == 0 ? seed : RandomSource(seed: seed).stream("block").bits(index)
      return try whole(height: blocks.size, width: blocks.size, measurementCount / count, seed: seed)
    }
  }

  private func whole(height: Int, width: Int, _ measurementCount: Int, seed: UInt64) throws -> any LinearOperator {
    let count = height * width
    switch kind {
    case .cosine, .hadamard, .fourier:
      let transform: RandomTransformOperator.Transform =
        kind == .cosine ? .cosine : kind == .hadamard ? .hadamard : .fourier
      return try RandomTransformOperator(
        transform, height: height, width: width, measurementCount: measurementCount, seed: seed)
    case .mask: return try MaskOperator(signalCount: count, measurementCount: measurementCount, seed: seed)
    case .gaussian, .bernoulli:
      try checkMemory(measurementCount, count)
      return kind == .gaussian
        ? try MatrixOperator.gaussian(signalCount: count, measurementCount: measurementCount, seed: seed)
        : try MatrixOperator.bernoulli(signalCount: count, measurementCount: measurementCount, seed: seed)
    case .convolution:
      guard let blur else { throw SensingError("A convolution needs a kernel; give a box or a Gaussian.") }
      return try owned(
        ConvolutionOperator(blur.kernel, border: blur.border, step: blur.step, height: height, width: width),
        height: height, width: width)
    case .matrix:
      guard let matrixPath else { throw SensingError("The operator matrix needs the file of a matrix.") }
      let matrix = try MatrixOperator(file: matrixPath)
      guard matrixChecksum == nil || matrixChecksum == matrix.checksum else {
        throw SensingError(
          "\(matrixPath) has another matrix now than the one that measured; restore the file, or measure the images again."
        )
      }
      return try owned(matrix, height: height, width: width, measurementCount)
    }
  }

  /// An operator whose sizes are its own, if they agree with those of the plane and of the measurements.
  private func owned(
    _ found: any LinearOperator, height: Int, width: Int, _ count: Int? = nil
  ) throws -> any LinearOperator {
    guard found.signalCount == height * width, found.measurementCount == count ?? measurementCount else {
      throw SensingError(
        "The operator \(kind.rawValue) takes \(found.measurementCount) measurements of \(found.signalCount) pixels, not \(count ?? measurementCount) of \(height)x\(width); give the file and the sizes that belong together."
      )
    }
    return found
  }

  private func checkMemory(_ rows: Int, _ columns: Int) throws {
    guard rows <= Self.mostEntries / columns else {
      throw SensingError(
        "A matrix of \(rows)x\(columns) is more than the limit of 1 GiB; use the operator cosine, which needs no matrix, or blocks."
      )
    }
  }
}
