/// How the weights of a linear layer are stored. Quantised formats consist of blocks of 32 inputs.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// Floating-point numbers in single precision, half precision and bfloat16.
  case f32, f16, bf16
  /// 8-bit integers with one half-precision scale for each block.
  case q8_0
  /// Signed 4-bit integers with one scale for each block.
  case q4_0
  /// 4-bit integers with one scale and one minimum for each block.
  case q4_1

  /// Whether the format is quantised: integers in blocks of 32 with scales.
  public var isQuantized: Bool { self == .q8_0 || self == .q4_0 || self == .q4_1 }
}
