import MartletTensor

/// Weights `[outputs, inputs]` on a device, a row of inputs an output. Quantised rows have their integers together and their scales apart.
public struct DeviceMatrix: Sendable {
  /// The format of the weights on the device.
  public let format: WeightFormat
  /// The number of rows.
  public let outputs: Int
  /// The number of columns.
  public let inputs: Int
  /// Floats, or the integers of blocks of 32.
  let weights: DeviceRange
  /// The scales of blocks; nil for floats.
  let scales: DeviceRange?

  /// The formats in which shaders read weights.
  public static let formats: [WeightFormat] = [.f32, .f16, .bf16, .q8_0, .q4_0, .q4_1]

  /// The format in which a device holds weights of this one: the same where shaders read it, else 8-bit integers.
  public static func format(for format: WeightFormat) -> WeightFormat { formats.contains(format) ? format : .q8_0 }

  /// The memory of the weights in bytes.
  public var byteCount: Int { weights.byteCount + (scales?.byteCount ?? 0) }

  /// The memory of weights in bytes.
  public static func byteCount(format: WeightFormat, outputs: Int, inputs: Int) -> Int {
    let shape = RowShape(format, inputs: inputs)
    return outputs * (shape.weightBytes + shape.scaleBytes)
  }

  /// How the bytes of a row are divided.
  private struct RowShape {
    /// Bytes of a row in a file; of its integers, and of its scales, on the device.
    let fileBytes, weightBytes, scaleBytes: Int
    /// Bytes of a block in a file: the scales, then the integers.
    let blockScaleBytes, blockWeightBytes: Int

    init(_ format: WeightFormat, inputs: Int) {
      let blocks = (inputs + 31) / 32
      switch format {
      case .f32: (blockScaleBytes, blockWeightBytes) = (0, 0)
      case .q4_0: (blockScaleBytes, blockWeightBytes) = (2, 16)
      case .q4_1: (blockScaleBytes, blockWeightBytes) = (4, 16)
      case .q8_0: (blockScaleBytes, blockWeightBytes) = (2, 32)
      default: (blockScaleBytes, blockWeightBytes) = (0, 0)
      }
      fileBytes = format.rowByteCount(inputs: inputs)
      weightBytes = blockScaleBytes == 0 ? fileBytes : blocks * blockWeightBytes
      scaleBytes = blocks * blockScaleBytes
    }
  }

  /// Uploads a matrix. `encode` writes a row in the file layout of `format`; rows are encoded in parallel.
  ///
  /// Precondition: `format` is one of ``formats``; `inputs` is a multiple of 32, or of 8 for floats.
  /// - Throws: ``DeviceError`` if the device has not enough memory.
  public init(
    format: WeightFormat, outputs: Int, inputs: Int, arena: DeviceArena, device: Device,
    encode: (_ index: Int, _ row: UnsafeMutableRawPointer) -> Void
  ) throws(DeviceError) {
    precondition(Self.formats.contains(format) && Self.fits(format, inputs: inputs), "\(format) of \(inputs) inputs")
    let shape = RowShape(format, inputs: inputs)
    self.format = format
    self.outputs = outputs
    self.inputs = inputs
    weights = try arena.allocate(outputs * shape.weightBytes)
    scales = shape.scaleBytes > 0 ? try arena.allocate(outputs * shape.scaleBytes) : nil
    if let scales {
      // Scales are kept beside while the integers go first.
      var kept = [UInt8](repeating: 0, count: outputs * shape.scaleBytes)
      try kept.withUnsafeMutableBytesThrowing { kept throws(DeviceError) in
        try device.upload(weights, alignment: shape.weightBytes) { part, bytes in
          let first = part.lowerBound / shape.weightBytes, rows = part.count / shape.weightBytes
          Parallel.forEach(rows, grain: 8) { range in
            withUnsafeTemporaryAllocation(byteCount: shape.fileBytes, alignment: 16) { row in
              guard let base = row.baseAddress else { return }
              for index in range {
                encode(first + index, base)
                Self.divide(
                  UnsafeRawBufferPointer(row), shape,
                  weights: UnsafeMutableRawBufferPointer(
                    rebasing: bytes[index * shape.weightBytes..<(index + 1) * shape.weightBytes]),
                  scales: UnsafeMutableRawBufferPointer(
                    rebasing: kept[(first + index) * shape.scaleBytes..<(first + index + 1) * shape.scaleBytes]))
              }
            }
          }
        }
      }
      try device.upload(kept, to: scales)
    } else {
      try device.upload(weights, alignment: shape.weightBytes) { part, bytes in
        let first = part.lowerBound / shape.weightBytes
        guard let base = bytes.baseAddress else { return }
        Parallel.forEach(part.count / shape.weightBytes, grain: 8) { range in
          for index in range { encode(first + index, base + index * shape.weightBytes) }
        }
      }
    }
  }

  /// Some rows of it. Precondition: it has them.
  func rows(_ first: Int, _ count: Int) -> DeviceMatrix {
    DeviceMatrix(
      format: format, outputs: count, inputs: inputs,
      weights: weights.part(weights.byteCount / outputs * first, weights.byteCount / outputs * count),
      scales: scales.map { $0.part($0.byteCount / outputs * first, $0.byteCount / outputs * count) })
  }

  private init(format: WeightFormat, outputs: Int, inputs: Int, weights: DeviceRange, scales: DeviceRange?) {
    self.format = format
    self.outputs = outputs
    self.inputs = inputs
    self.weights = weights
    self.scales = scales
  }

  /// Whether shaders can read rows of so many inputs.
  public static func fits(_ format: WeightFormat, inputs: Int) -> Bool {
    inputs > 0 && inputs % (format.isQuantized ? 32 : 8) == 0
  }

  private static func divide(
    _ row: UnsafeRawBufferPointer, _ shape: RowShape, weights: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableRawBufferPointer
  ) {
    let block = shape.blockScaleBytes + shape.blockWeightBytes
    for index in 0..<row.count / block {
      let from = index * block
      UnsafeMutableRawBufferPointer(
        rebasing: scales[index * shape.blockScaleBytes..<(index + 1) * shape.blockScaleBytes]
      )
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: row[from..<from + shape.blockScaleBytes]))
      UnsafeMutableRawBufferPointer(
        rebasing: weights[index * shape.blockWeightBytes..<(index + 1) * shape.blockWeightBytes]
      )
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: row[from + shape.blockScaleBytes..<from + block]))
    }
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeMutableBytes` for bodies that throw errors of the device.
  fileprivate mutating func withUnsafeMutableBytesThrowing(
    _ body: (UnsafeMutableRawBufferPointer) throws(DeviceError) -> Void
  ) throws(DeviceError) {
    let result: Result<Void, DeviceError> = withUnsafeMutableBytes { bytes in
      do throws(DeviceError) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
