/// Type of a tensor's elements. Arithmetic runs in `float32`, and in `float64` where exactness matters more than
/// speed; the others are for storage and indices.
public enum DType: String, Sendable, CaseIterable {
  /// Floating-point numbers of 32, 64 and 16 bits, and bfloat16.
  case float32, float64, float16, bfloat16
  /// Integers of 32 and 64 bits.
  case int32, int64

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .int64, .float64: 8
    }
  }
}
