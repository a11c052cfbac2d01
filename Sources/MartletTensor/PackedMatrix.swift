import MartletKernels

/// Weights `[outputs, inputs]` in tiles of 16 outputs (see MartletKernels.h), in one ``WeightFormat``.
public struct PackedMatrix: Sendable {
  public let format: WeightFormat
  public let outputs: Int
  public let inputs: Int
  let tiles: Storage

  /// Bytes that the packed weights take.
  public static func byteCount(format: WeightFormat, outputs: Int, inputs: Int) -> Int {
    (outputs + 15) / 16 * tileByteCount(format: format, inputs: inputs)
  }

  static func tileByteCount(format: WeightFormat, inputs: Int) -> Int {
    martlet_tile_block_bytes(format.code) * ((inputs + 31) / 32)
  }

  /// Bytes that the weights take.
  public var byteCount: Int { tiles.byteCount }

  var tileCount: Int { (outputs + 15) / 16 }
  var tileByteCount: Int { Self.tileByteCount(format: format, inputs: inputs) }

  /// Packs rows that lie one after the other in `rows`, each `format.rowByteCount(inputs:)` long, in parallel.
  /// `finished` hears which rows have been read, so that mapped pages can be let go.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int, rows: UnsafeRawBufferPointer,
    finished: (@Sendable (Range<Int>) -> Void)? = nil
  ) {
    let rowBytes = format.rowByteCount(inputs: inputs)
    precondition(rows.count >= outputs * rowBytes, "\(rows.count) bytes do not hold \(outputs) x \(inputs) \(format)")
    self.init(format: format, outputs: outputs, inputs: inputs) { range, tile, tileBytes in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        guard let base = rows.baseAddress else { return }
        martlet_pack_tile(
          format.code, base + start * rowBytes, rowBytes, Int32(min(16, outputs - start)), Int64(inputs),
          tile + (start - range.lowerBound) / 16 * tileBytes)
      }
      finished?(range)
    }
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

  /// Packs rows that `encode` writes in the file layout of `format`, in parallel.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int,
    encode: (_ index: Int, _ row: UnsafeMutableRawPointer) -> Void
  ) {
    let rowBytes = format.rowByteCount(inputs: inputs)
    self.init(format: format, outputs: outputs, inputs: inputs) { range, tile, tileBytes in
      let rows = Storage(byteCount: 16 * rowBytes)
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        let count = min(16, outputs - start)
        for row in 0..<count { encode(start + row, rows.pointer + row * rowBytes) }
        martlet_pack_tile(
          format.code, rows.pointer, rowBytes, Int32(count), Int64(inputs),
          tile + (start - range.lowerBound) / 16 * tileBytes)
      }
    }
  }

  private init(
    format: WeightFormat, outputs: Int, inputs: Int,
    pack: (_ rows: Range<Int>, _ tile: UnsafeMutableRawPointer, _ tileBytes: Int) -> Void
  ) {
    self.format = format
    self.outputs = outputs
    self.inputs = inputs
    let tileBytes = Self.tileByteCount(format: format, inputs: inputs)
    tiles = .forWeights(byteCount: (outputs + 15) / 16 * tileBytes)
    let destination = tiles.pointer
    let tilesTogether = max(1, (1 << 20) / tileBytes)
    Parallel.forEach((outputs + 15) / 16, grain: tilesTogether) { range in
      pack(
        range.lowerBound * 16..<min(outputs, range.upperBound * 16), destination + range.lowerBound * tileBytes,
        tileBytes)
    }
  }

  /// The values of one output, as floats.
  public func row(_ index: Int) -> [Float] {
    precondition(index >= 0 && index < outputs, "row \(index) of \(outputs)")
    return [Float](unsafeUninitializedCapacity: inputs) { buffer, count in
      martlet_unpack_row(
        format.code, tiles.pointer + index / 16 * tileByteCount, Int32(index % 16), Int64(inputs), buffer.baseAddress)
      count = inputs
    }
  }

  /// The matrix `[outputs, inputs]` as a tensor of floats.
  package func dense() -> Tensor {
    let result = Tensor.empty([outputs, inputs])
    let values = result.mutableFloats
    Parallel.forEach(outputs, grain: max(1, grainElements / max(1, inputs))) { range in
      for index in range {
        martlet_unpack_row(
          format.code, tiles.pointer + index / 16 * tileByteCount, Int32(index % 16), Int64(inputs),
          values + index * inputs)
      }
    }
    return result
  }

  /// The matrix `[inputs, outputs]`, packed in `format`.
  func transposed(format: WeightFormat) -> PackedMatrix {
    let rows = dense(), values = rows.floats, (columns, count) = (inputs, outputs)
    return withExtendedLifetime(rows) {
      PackedMatrix(format: format, outputs: columns, inputs: count) { column, target in
        martlet_copy_strided(values + column, Int64(columns), target, Int64(count), 4)
      }
    }
  }

  /// The matrix `[outputs, inputs]` as floats.
  public var values: [Float] { (0..<outputs).flatMap(row) }
}

extension WeightFormat {
  /// ggml's number of the format.
  package var fileType: Int32 {
    let type =
      switch self {
      case .f32: MARTLET_FILE_F32
      case .f16: MARTLET_FILE_F16
      case .bf16: MARTLET_FILE_BF16
      case .q8_0: MARTLET_FILE_Q8_0
      case .q4_0: MARTLET_FILE_Q4_0
      case .q4_1: MARTLET_FILE_Q4_1
      }
    return Int32(type.rawValue)
  }
}

extension WeightFormat {
  /// Values rounded to this format, in the file layout. Precondition: whole blocks.
  public func round(_ values: [Float]) -> [UInt8] {
    let size = rowByteCount(inputs: values.count)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      precondition(martlet_file_round(fileType, values, Int64(values.count), buffer.baseAddress))
      count = size
    }
  }

  /// Writes one row of `inputs` values in the file layout; `fill` gives them as floats. What is missing to a whole block
  /// is zero.
  ///
  /// - Returns: whether all of it is finite, that is, within the format's range.
  @discardableResult public func encode(
    inputs: Int, into row: UnsafeMutableRawPointer, fill: (_ values: UnsafeMutablePointer<Float>) -> Void
  ) -> Bool {
    let count = isQuantized ? (inputs + 31) / 32 * 32 : inputs
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, count)) { values in
      guard let base = values.baseAddress else { return true }
      (base + inputs).update(repeating: 0, count: count - inputs)
      fill(base)
      _ = martlet_file_round(fileType, base, Int64(count), row)
      return martlet_file_is_finite(fileType, row, Int64(count))
    }
  }
}
