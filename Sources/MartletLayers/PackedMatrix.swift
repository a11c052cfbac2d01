import MartletTensor

/// Weights `[outputs, inputs]`, packed in a `WeightFormat` in the order in which the matrix kernels read them.
public struct PackedMatrix: Sendable {
  let tiles: PackedTiles

  /// How the weights are stored.
  public var format: WeightFormat { tiles.format }
  /// The number of rows of the matrix.
  public var outputs: Int { tiles.outputs }
  /// The number of columns of the matrix.
  public var inputs: Int { tiles.inputs }

  /// The number of bytes of a packed matrix.
  public static func byteCount(format: WeightFormat, outputs: Int, inputs: Int) -> Int {
    PackedTiles.byteCount(format: format, outputs: outputs, inputs: inputs)
  }

  /// The memory of the weights in bytes.
  public var byteCount: Int { tiles.byteCount }

  private init(_ tiles: PackedTiles) { self.tiles = tiles }

  /// Packs the contiguous rows in `rows`, each of `format.rowByteCount(inputs:)` bytes, in parallel. `finished` is
  /// called with the rows that have been read, so that mapped pages can be released.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int, rows: UnsafeRawBufferPointer,
    finished: (@Sendable (Range<Int>) -> Void)? = nil
  ) {
    self.init(PackedTiles(format: format, outputs: outputs, inputs: inputs, rows: rows, finished: finished))
  }

  /// Packs rows that `encode` writes in the file layout of `format`, in parallel.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int,
    encode: (_ index: Int, _ row: UnsafeMutableRawPointer) -> Void
  ) {
    self.init(PackedTiles(format: format, outputs: outputs, inputs: inputs, encode: encode))
  }

  /// Converts float rows to `format` while packing. `expand` writes row `index` as `inputs` floats.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int,
    expand: (_ index: Int, _ values: UnsafeMutablePointer<Float>) -> Void
  ) {
    self.init(format: format, outputs: outputs, inputs: inputs) { (index, row: UnsafeMutableRawPointer) in
      format.encode(inputs: inputs, into: row) { expand(index, $0) }
    }
  }

  /// Converts a contiguous `float32` tensor `[outputs, inputs]` to `format` while packing.
  public init(_ matrix: Tensor, format: WeightFormat) {
    let width = matrix.columns
    self = matrix.withFloats { values in
      PackedMatrix(format: format, outputs: matrix.rows, inputs: width) { row, target in
        guard let base = values.baseAddress else { return }
        target.update(from: base + row * width, count: width)
      }
    }
  }

  /// The weights of one output as floats. Precondition: the row exists.
  public func row(_ index: Int) -> [Float] { tiles.row(index) }

  /// The matrix `[outputs, inputs]` as a tensor of floats.
  public func dense() -> Tensor { tiles.dense() }

  /// The matrix `[inputs, outputs]`, packed in `format`.
  func transposed(format: WeightFormat) -> PackedMatrix { PackedMatrix(tiles.transposed(format: format)) }

  /// The matrix `[outputs, inputs]` as floats, row-major.
  public var values: [Float] { (0..<outputs).flatMap(row) }
}
