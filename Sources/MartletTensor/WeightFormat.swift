import MartletKernels

/// How the weights of a linear layer are stored. Quantised formats hold blocks of 32 inputs.
public enum WeightFormat: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// 8-bit integers, one half-precision scale a block.
  case q8_0
  /// 4-bit integers around zero, one scale a block.
  case q4_0
  /// 4-bit integers from a minimum, one scale and one minimum a block.
  case q4_1

  /// Whether values are integers in blocks of 32 with scales.
  public var isQuantized: Bool { self == .q8_0 || self == .q4_0 || self == .q4_1 }

  var code: martlet_format {
    switch self {
    case .f32: MARTLET_F32
    case .f16: MARTLET_F16
    case .bf16: MARTLET_BF16
    case .q8_0: MARTLET_Q8_0
    case .q4_0: MARTLET_Q4_0
    case .q4_1: MARTLET_Q4_1
    }
  }

  /// Bytes of one row of `inputs` values in the unpacked (file) layout.
  public func rowByteCount(inputs: Int) -> Int { martlet_row_bytes(code, Int64(inputs)) }
}
