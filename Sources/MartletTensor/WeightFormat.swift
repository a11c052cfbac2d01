/// How the weights of a linear layer are stored. Quantised formats consist of blocks of 32 or 256 inputs.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// Floating-point numbers in single precision, half precision and bfloat16.
  case f32, f16, bf16
  /// 8-bit integers with one half-precision scale for each block.
  case q8_0
  /// Signed 4-bit integers with one scale for each block.
  case q4_0
  /// 4-bit integers with one scale and one minimum for each block.
  case q4_1
  /// 4-bit integers in blocks of 256, with a 6-bit scale and a 6-bit minimum for each 32.
  case q4_K = "q4_k"
  /// 5-bit integers in blocks of 256, with a 6-bit scale and a 6-bit minimum for each 32.
  case q5_K = "q5_k"
  /// Signed 6-bit integers in blocks of 256, with an 8-bit scale for each 16.
  case q6_K = "q6_k"

  /// Whether the format is quantised: integers in blocks with scales.
  public var isQuantized: Bool {
    switch self {
    case .f32, .f16, .bf16: false
    case .q8_0, .q4_0, .q4_1, .q4_K, .q5_K, .q6_K: true
    }
  }
}
