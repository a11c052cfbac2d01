import MartletTensor

/// Weights `[outputs, inputs]`, packed in one `WeightFormat` in the order in which the matrix kernels read them.
public struct PackedMatrix: Sendable {
  let tiles: PackedTiles

  /// How the weights are stored.
  public var format: WeightFormat { tiles.format }
  /// Rows of the matrix.
  public var outputs: Int { tiles.outputs }
  /// Columns of the matrix.
  public var inputs: Int { tiles.inputs }

  /// Bytes that the packed weights of such a matrix take.
  public static func byteCount(format: WeightFormat, outputs: Int, inputs: Int) -> Int {
    PackedTiles.byteCount(format: format, outputs: outputs, inputs: inputs)
  }

  /// Bytes that the weights take.
  public var byteCount: Int { tiles.byteCount }

  private init(_ tiles: PackedTiles) { self.tiles = tiles }

  /// Packs rows that lie one after the other in `rows`, each `format.rowByteCount(inputs:)` long, in parallel; `finished`
  /// is called with the rows that have been read, so that mapped pages can be let go.
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

  /// Rounds float rows to `format` while packing. `expand` writes row `index` as `inputs` floats.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int,
    expand: (_ index: Int, _ values: UnsafeMutablePointer<Float>) -> Void
  ) {
    self.init(format: format, outputs: outputs, inputs: inputs) { (index, row: UnsafeMutableRawPointer) in
      format.encode(inputs: inputs, into: row) { expand(index, $0) }
    }
  }

  /// Rounds a contiguous float tensor `[outputs, inputs]` to `format` while packing.
  public init(_ matrix: Tensor, format: WeightFormat) {
    let width = matrix.columns
    self = matrix.withFloats { values in
      PackedMatrix(format: format, outputs: matrix.rows, inputs: width) { row, target in
        guard let base = values.baseAddress else { return }
        target.update(from: base + row * width, count: width)
      }
    }
  }

  /// The values of one output, as floats. Precondition: there is such a row.
  public func row(_ index: Int) -> [Float] { tiles.row(index) }

  /// The matrix `[outputs, inputs]` as a tensor of floats.
  public func dense() -> Tensor { tiles.dense() }

  /// The matrix `[inputs, outputs]`, packed in `format`.
  func transposed(format: WeightFormat) -> PackedMatrix { PackedMatrix(tiles.transposed(format: format)) }

  /// The matrix `[outputs, inputs]` as floats, row-major.
  public var values: [Float] { (0..<outputs).flatMap(row) }
}
