/// How the weights of a linear layer are stored. Quantised formats hold blocks of 32 inputs.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// 32-bit, 16-bit (IEEE) and 16-bit (bfloat) floating-point numbers.
  case f32, f16, bf16
  /// 8-bit integers, one half-precision scale a block.
  case q8_0
  /// 4-bit integers around zero, one scale a block.
  case q4_0
  /// 4-bit integers from a minimum, one scale and one minimum a block.
  case q4_1

  /// Whether values are integers in blocks of 32 with scales.
  public var isQuantized: Bool { self == .q8_0 || self == .q4_0 || self == .q4_1 }
}
