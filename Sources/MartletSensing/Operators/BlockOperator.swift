/// Square blocks of a plane, each measured for itself.
public struct BlockOperator: LinearOperator {
  /// The values of a plane.
  public var signalCount: Int { height * width }
  /// The measurements of all blocks, block after block, from the upper left along rows.
  public let measurementCount: Int
  /// Whether those of each block are.
  public let hasOrthonormalRows: Bool
  private let height: Int, width: Int, size: Int
  /// One for each block, or one for all.
  private let blocks: [any LinearOperator]

  /// - Parameters:
  ///   - size: the pixels along each side of a block; it divides height and width.
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  ///   - isShared: whether all blocks are measured by the operator of block 0.
  ///   - block: the operator of a block, by its number.
  /// - Throws: ``SensingError`` if blocks do not fill the plane, and what `block` throws.
  public init(
    size: Int, height: Int, width: Int, isShared: Bool, block: (Int) throws -> any LinearOperator
  ) throws {
    let count = try Self.count(size: size, height: height, width: width)
    let blocks = try (0..<(isShared ? 1 : count)).map(block)
    guard blocks.allSatisfy({ $0.signalCount == size * size }) else {
      throw SensingError("The operator of a block must take \(size * size) pixels.")
    }
    (self.size, self.height, self.width, self.blocks) = (size, height, width, blocks)
    measurementCount = blocks.reduce(0) { $0 + $1.measurementCount } * (isShared ? count : 1)
    hasOrthonormalRows = blocks.allSatisfy(\.hasOrthonormalRows)
  }

  /// The number of blocks of a plane.
  /// - Parameters:
  ///   - size: the pixels along each side of a block.
  ///   - height: the rows of the plane.
  ///   - width: the columns of the plane.
  /// - Throws: ``SensingError`` if blocks do not fill the plane.
  public static func count(size: Int, height: Int, width: Int) throws -> Int {
    guard size > 0, height > 0, width > 0, height % size == 0, width % size == 0 else {
      throw SensingError(
        "Blocks of \(size)x\(size) pixels do not fill an image of \(height)x\(width); take a divisor of both sizes.")
    }
    return height / size * (width / size)
  }

  public func forward(_ signal: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(measurementCount)
    for index in 0..<height / size * (width / size) {
      let start = self.start(index)
      var block: [Double] = []
      block.reserveCapacity(size * size)
      for row in 0..<size { block += signal[start + row * width..<start + row * width + size] }
      result += blocks[blocks.count == 1 ? 0 : index].forward(block)
    }
    return result
  }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    var plane = [Double](repeating: 0, count: signalCount), next = 0
    for index in 0..<height / size * (width / size) {
      let block = blocks[blocks.count == 1 ? 0 : index], start = self.start(index)
      let values = block.adjoint(Array(measurements[next..<next + block.measurementCount]))
      next += block.measurementCount
      for row in 0..<size {
        for column in 0..<size { plane[start + row * width + column] = values[row * size + column] }
      }
    }
    return plane
  }

  private func start(_ index: Int) -> Int {
    let across = width / size
    return index / across * size * width + index % across * size
  }
}
