import CMartletKernels

extension WeightFormat {
  /// The kernels' number of the format.
  var code: martlet_format {
    switch self {
    case .f32: MARTLET_F32
    case .f16: MARTLET_F16
    case .bf16: MARTLET_BF16
    case .q8_0: MARTLET_Q8_0
    case .q4_0: MARTLET_Q4_0
    case .q4_1: MARTLET_Q4_1
    case .q4_K: MARTLET_Q4_K
    case .q5_K: MARTLET_Q5_K
    case .q6_K: MARTLET_Q6_K
    }
  }

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
      case .q4_K: MARTLET_FILE_Q4_K
      case .q5_K: MARTLET_FILE_Q5_K
      case .q6_K: MARTLET_FILE_Q6_K
      }
    return Int32(type.rawValue)
  }

  /// The number of inputs that share a block; 1 for formats without blocks.
  public var blockInputs: Int { isQuantized ? Int(martlet_block_inputs(code)) : 1 }

  /// `count` values and what is missing to a whole block.
  package func paddedCount(_ count: Int) -> Int { (count + blockInputs - 1) / blockInputs * blockInputs }

  /// The number of bytes of one row of `inputs` values in the layout of files.
  public func rowByteCount(inputs: Int) -> Int { martlet_row_bytes(code, Int64(inputs)) }

  /// The values rounded to this format, in the layout of files. Precondition: the count is a multiple of the block
  /// size.
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
    let count = paddedCount(inputs)
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, count)) { values in
      guard let base = values.baseAddress else { return true }
      (base + inputs).update(repeating: 0, count: count - inputs)
      fill(base)
      _ = martlet_file_round(fileType, base, Int64(count), row)
      return martlet_file_is_finite(fileType, row, Int64(count))
    }
  }
}

/// The types of elements that files hold, by ggml's numbers, for the readers of checkpoints. Counts are of values, in
/// whole blocks.
extension CPU {
  /// Values in one block of a file's type; 0 for a type without floating values.
  package static func blockValues(ofFileType type: Int32) -> Int { Int(martlet_file_block_values(type)) }

  /// Bytes of one block of a file's type; 0 for a type without floating values.
  package static func blockByteCount(ofFileType type: Int32) -> Int { Int(martlet_file_block_bytes(type)) }

  /// Expands `count` values of a file's type to floats.
  package static func expand(
    _ source: UnsafeRawPointer, fileType: Int32, count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    martlet_file_expand(fileType, source, Int64(count), values)
  }

  /// Rounds `count` floats to a file's type; those of ``WeightFormat`` alone can be written.
  package static func round(
    _ values: UnsafePointer<Float>, toFileType type: Int32, count: Int, into target: UnsafeMutableRawPointer
  ) {
    _ = martlet_file_round(type, values, Int64(count), target)
  }

  /// Whether none of `count` values is infinite or not a number.
  package static func isFinite(_ source: UnsafeRawPointer, fileType: Int32, count: Int) -> Bool {
    martlet_file_is_finite(fileType, source, Int64(count))
  }

  /// Writes `count` values of one type as another with the same integer codes, so that nothing is rounded but the scales.
  ///
  /// - Returns: the largest error as a part of the largest value of its block of 32, 0 where every value is kept; nil,
  ///   with nothing written, for types between which codes cannot be kept.
  package static func repack(
    _ source: UnsafeRawPointer, fileType: Int32, as target: Int32, count: Int, into destination: UnsafeMutableRawPointer
  ) -> Float? {
    let error = martlet_file_repack(fileType, target, source, Int64(count), destination)
    return error >= 0 ? error : nil
  }

  /// The largest difference between two lists of floats as a part of the largest of `values` in its block of 32.
  package static func largestError(
    of values: UnsafePointer<Float>, beside others: UnsafePointer<Float>, count: Int
  ) -> Float {
    martlet_largest_error(values, others, Int64(count))
  }

  /// The values rounded to what a floating type can hold, to nearest even.
  static func rounded(_ x: Tensor, to format: WeightFormat) -> Tensor {
    let bytes = format.round(x.values)
    return Tensor(shape: x.shape) { target in
      martlet_file_expand(
        format.fileType, bytes, Int64(x.count), target.assumingMemoryBound(to: Float.self).baseAddress)
    }
  }
}
